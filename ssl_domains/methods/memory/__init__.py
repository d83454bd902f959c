"""What a method keeps from step to step, in buffers: momentum copies, queues, banks, prototypes and clusters."""
