(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const theme = $("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Storage is closed to some pages opened as files; the choice then lasts as long as the page.
  const kept = (value) => {
    try {
      if (value) localStorage.setItem("vidcli-theme", value);
      return localStorage.getItem("vidcli-theme");
    } catch {
      return null;
    }
  };
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  if (["light", "dark"].includes(kept())) root.dataset.theme = kept();
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept(root.dataset.theme);
    showTheme();
  });
  dark.addEventListener("change", showTheme);
  showTheme();

  const folded = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...folded()];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of opened) part.open = false;
  });

  const line = $("timeline");
  if (!line) return;
  const video = $("video");
  const start = Number(line.getAttribute("aria-valuemin"));
  const end = Number(line.getAttribute("aria-valuemax"));
  const step = Number(line.dataset.step);
  const timed = [...document.querySelectorAll("[data-start]")].map((element) => ({
    element,
    start: Number(element.dataset.start),
    end: Number(element.dataset.end),
  }));
  const stops = [...new Set(timed.map((mark) => mark.start))].sort((a, b) => a - b);
  const stills = [...document.querySelectorAll(".stills [data-time]")];
  let isPlayable = true;
  let now = start;

  const clock = (time) => {
    const tenths = Math.max(0, Math.round(time * 10));
    const [hours, rest] = [Math.floor(tenths / 36000), tenths % 36000];
    const [minutes, seconds] = [Math.floor(rest / 600), ((rest % 600) / 10).toFixed(1)];
    const tail = seconds.padStart(4, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
  };

  const showStill = () => {
    const shown = stills.filter((link) => link.querySelector("img"));
    if (!shown.length) return;
    const distance = (link) => Math.abs(Number(link.dataset.time) - now);
    const nearest = shown.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    const [still, image] = [$("still"), nearest.querySelector("img")];
    still.src = image.src;
    still.alt = image.alt;
    still.hidden = false;
  };

  const show = () => {
    const share = Math.min(1, Math.max(0, (now - start) / (end - start)));
    for (const name of ["x1", "x2"]) $("playhead").setAttribute(name, `${100 * share}%`);
    line.setAttribute("aria-valuenow", now.toFixed(3));
    line.setAttribute("aria-valuetext", clock(now));
    $("clock").textContent = clock(now);
    for (const mark of timed) {
      const isOn = mark.start <= now + 1e-6 && (now < mark.end || mark.start === mark.end);
      mark.element.classList.toggle("on", isOn);
    }
    for (const place of document.querySelectorAll("[data-here]")) {
      const texts = document.querySelectorAll(`[data-list="${place.dataset.here}"] .on .text`);
      place.textContent = [...texts].map((text) => text.textContent).join(" · ") || "–";
    }
    if (!isPlayable) showStill();
  };

  const seek = (time) => {
    now = Math.min(end, Math.max(start, time));
    if (isPlayable) video.currentTime = now;
    show();
  };

  const giveUp = () => {
    isPlayable = false;
    video.hidden = true;
    $("fallback").hidden = false;
    show();
  };
  video.addEventListener("error", giveUp);
  video.addEventListener("loadedmetadata", () => {
    if (!video.videoWidth) giveUp(); // sound of a file whose pictures cannot be decoded
  });
  video.addEventListener("timeupdate", () => {
    if (video.seeking) return;
    now = video.currentTime;
    show();
  });
  if (video.error) giveUp();

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-time]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(Number(link.dataset.time));
    $("status").textContent = `At ${clock(now)}`;
    const box = $("stage").getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight) $("stage").scrollIntoView({ block: "nearest" });
  });

  const next = () => stops.find((time) => time > now + 1e-3) ?? end;
  const previous = () => stops.findLast((time) => time < now - 1e-3) ?? start;
  const keys = {
    ArrowRight: () => now + step,
    ArrowUp: () => now + step,
    ArrowLeft: () => now - step,
    ArrowDown: () => now - step,
    PageDown: next,
    PageUp: previous,
    Home: () => start,
    End: () => end,
  };
  line.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    seek(keys[event.key]());
  });
  const point = (event) => {
    const box = line.getBoundingClientRect();
    seek(start + ((event.clientX - box.left) / box.width) * (end - start));
  };
  line.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    line.setPointerCapture(event.pointerId);
    point(event);
  });
  line.addEventListener("pointermove", (event) => {
    if (line.hasPointerCapture(event.pointerId)) point(event);
  });
  show();
})();
