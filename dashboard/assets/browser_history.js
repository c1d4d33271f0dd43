// Browser Back leads to the view that a person left.
//
// Streamlit opens a page with an address in two steps, each an entry of the history: first the old page with the
// address of the new one, which is a view of nothing, then the new page. And each value that a script writes into
// the address is an entry of its own. Here the first step gets the address back that the person left, and is passed
// over in both directions; and only what a person did makes an entry, not what a page writes by itself.
(() => {
  if (window.cnnlabHistory) return;
  window.cnnlabHistory = true;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  let place = history.state?.place ?? 0;
  let step = null; // the last change of the address within a page: where from, where to, whether it is an entry
  let isAsked = false; // whether a person did anything since the last entry

  for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, () => { isAsked = true; }, true);

  history.pushState = (state, title, url) => {
    const from = location.href, to = new URL(url ?? from, from);
    if (to.pathname !== location.pathname) {
      if (step?.to === from && to.search === location.search)
        replace({ ...history.state, isStep: step.isEntry }, "", step.from);
      step = null;
    } else if (isAsked) {
      step = { from, to: to.href, isEntry: true };
    } else {
      step = step?.to === from ? { ...step, to: to.href } : { from, to: to.href, isEntry: false };
      replace(history.state, title, url);
      return;
    }
    isAsked = false;
    push({ ...state, place: ++place }, title, url);
  };
  history.replaceState = (state, title, url) => {
    replace({ ...state, place, isStep: history.state?.isStep }, title, url);
    step = null;
  };
  window.addEventListener("popstate", (event) => {
    const to = event.state?.place ?? 0, direction = Math.sign(to - place);
    place = to;
    step = null;
    isAsked = false;
    if (event.state?.isStep && direction) history.go(direction);
  });
})();
