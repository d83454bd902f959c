"""Templates of the files of a new plugin; `ssl_domains.cli.work.skeleton` fills them in."""
