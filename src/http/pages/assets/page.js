// What HTML alone cannot do: keys, "pressed once", the reader's time zone, copying ids. The pages work without it.
(() => {
  const typing = (target) => /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  const help = () => document.getElementById("keys");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (event.key === "?" && help()) {
      help().showModal();
    }
  });

  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button")) {
      setTimeout(() => { button.disabled = true; });
      if (button.dataset.busy) button.textContent = button.dataset.busy;
    }
  });

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.textContent = "Copied"; });
  });

  const local = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      time.title = new Date(time.dateTime).toLocaleString();
    }
  };
  local(document);
  document.addEventListener("htmx:load", (event) => local(event.target));
  // Coming back with the browser's own button shows the page as it was left: let its buttons be pressed again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
