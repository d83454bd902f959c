"use strict";
(function () {
  // A button plays the sound that it holds; a second click stops it, and another button's sound stops it too.
  const sounds = Array.from(document.querySelectorAll("button.play > audio"));
  for (const sound of sounds) {
    const button = sound.parentElement;
    button.addEventListener("click", () => {
      const stop = !sound.paused;
      for (const other of sounds) other.pause();
      if (stop) return;
      sound.currentTime = 0;
      sound.play().catch(() => button.classList.remove("on"));  // a pause at once ends it with an error
    });
    sound.addEventListener("play", () => button.classList.add("on"));
    for (const name of ["pause", "ended"]) sound.addEventListener(name, () => button.classList.remove("on"));
  }
})();
