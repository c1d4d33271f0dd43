// Browser Back leads to the view that a person left, in one step.
//
// Streamlit opens a page with an address in two steps, each an entry of the history: first the old page with the
// address of the new one, which is a view of nothing, then the new page. And each value that a script writes into
// the address is an entry of its own. Here a change of the address within a page waits a moment before it becomes
// an entry, and is none where a page follows; and only what a person did makes one, not what a page writes by itself.
(() => {
  if (window.cnnlabHistory) return;
  window.cnnlabHistory = true;
  // The page follows within some hundredths of a second. Where the server takes longer, an entry too many is left.
  const WAIT_MS = 1500;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  let change = null; // the last one within a page: where from, where to, and what makes it an entry later
  let isAsked = false; // whether a person did anything since the last entry

  const settle = () => {
    if (!change?.timer) return;
    clearTimeout(change.timer);
    change.timer = null;
    if (location.href !== change.to) return;
    const state = history.state;
    replace(state, "", change.from);
    push(state, "", change.to);
  };
  for (const name of ["pointerdown", "keydown"])
    window.addEventListener(name, () => {
      settle();
      isAsked = true;
    }, true);

  const write = (state, title, url) => {
    const from = location.href;
    replace(state, title, url);
    if (change?.to === from) change.to = location.href;
  };
  history.pushState = (state, title, url) => {
    const from = location.href, to = new URL(url ?? from, from);
    if (to.pathname === location.pathname && !isAsked) {
      write(state, title, url);
    } else if (to.pathname === location.pathname) {
      settle();
      isAsked = false;
      replace(state, title, url);
      change = { from, to: location.href, timer: setTimeout(settle, WAIT_MS) };
    } else {
      if (change?.to === from && to.search === location.search) {
        clearTimeout(change.timer);
        replace(history.state, "", change.from);
      } else settle();
      change = null;
      isAsked = false;
      push(state, title, url);
    }
  };
  history.replaceState = write;
  window.addEventListener("popstate", () => {
    clearTimeout(change?.timer);
    change = null;
    isAsked = false;
  });
})();
