
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const fail = (text) => {
    $("failure").hidden = false;
    $("failure").textContent = `This page has a defect: ${text}`;
  };
  addEventListener("error", (event) => fail(event.message));
  addEventListener("securitypolicyviolation", (event) => fail(event.violatedDirective));

  const data = JSON.parse($("run").textContent);
  const PAGE = 50;
  const SPACE = "http://www.w3.org/2000/svg";
  // A row as toolc/reporting/page.py writes it.
  const [ID, ENVIRONMENT, KIND, STEPS, REWARD, F1, SUCCESS, CALLS, UNSCORED, CHECKS, TOOLS] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const [PROMPT, ANSWER] = [11, 12];
  const { rows, names } = data;
  const numbers = new Map(rows.map((row, number) => [row[ID], number]));

  // ---------------------------------------------------------------- elements

  // All text goes in as text: children that are strings become text nodes.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in { onclick: 0, oninput: 0, onchange: 0, onsubmit: 0 }) element[name] = value;
      else if (value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SPACE, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  // Without a prototype: names that others gave are looked up in it.
  const table = (entries) => Object.assign(Object.create(null), entries);
  const fixed = (value, digits = 3) =>
    value === null || value === undefined ? "–" : value.toFixed(digits);
  const short = (value) =>
    value === null || value === undefined ? "–" : String(Math.round(value * 1000) / 1000);
  const whole = (value) => value.toLocaleString("en");
  const many = (count, noun) => `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;

  // ---------------------------------------------------------------- head and figures

  function head() {
    const { about } = data;
    $("policy").textContent = data.policy;
    const facts = [`build ${about.build}`, many(data.tasks, "task"), many(data.episodes, "episode"),
      `${many(about.samples, "sample")} a task`, `seed ${about.seed}`, about.settings,
      `toolc ${about.toolc}`];
    $("about").textContent = facts.filter(Boolean).join(" · ");
    const notes = [];
    if (data.not_scored)
      notes.push(make("a", { href: link({ outcome: "unscored" }) },
        `${many(data.not_scored, "episode")} not scored`), ": no part of any figure. ");
    if (data.torn) notes.push("The last line of the run was torn, and is left out. ");
    if (data.unlisted) notes.push(`${many(data.unlisted, "episode")} beyond the first `
      + `${whole(rows.length)} are counted in the figures, and not listed. `);
    if (data.missing) notes.push(`${many(data.missing, "episode")} of the list `
      + "have no conversation in this page, which would be too large. ");
    $("notes").append(...notes);
    $("notes").hidden = notes.length === 0;
  }

  // A bar from 0 to 1 with its interval; or the interval with a dot alone.
  function strip(value, low, high, bar, label) {
    const x = (part) => 100 * Math.min(Math.max(part, 0), 1);
    const drawn = draw("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none", role: "img",
      class: bar ? "strip bar" : "strip", "aria-label": label });
    drawn.append(draw("rect", { class: "ground", x: 0, y: bar ? 1 : 5.5, width: 100,
      height: bar ? 10 : 1 }));
    if (bar) drawn.append(draw("rect", { class: "value", x: 0, y: 1, width: x(value), height: 10 }));
    if (low !== null) {
      const line = (x1, y1, x2, y2) => draw("line", { class: "interval", x1, y1, x2, y2,
        "vector-effect": "non-scaling-stroke" });
      drawn.append(line(x(low), 6, x(high), 6), line(x(low), 3, x(low), 9),
        line(x(high), 3, x(high), 9));
    }
    if (!bar) drawn.append(draw("line", { class: "dot", x1: x(value), x2: x(value), y1: 2, y2: 10,
      "vector-effect": "non-scaling-stroke" }));
    return drawn;
  }
  const interval = (each, digits) =>
    each.low === null ? "" : `${fixed(each.low, digits)} – ${fixed(each.high, digits)}`;

  function figures() {
    const body = make("tbody");
    for (const each of data.figures) {
      const digits = each.share ? 3 : 2;
      const shown = `${fixed(each.value, digits)}, 95 % interval ${interval(each, digits)}`;
      body.append(make("tr", {}, make("th", { scope: "row" }, each.label),
        make("td", { class: "number strong" }, fixed(each.value, digits)),
        make("td", { class: "graphic" },
          each.share ? strip(each.value, each.low, each.high, false, shown) : null),
        make("td", { class: "number soft" }, interval(each, digits))));
    }
    const headings = make("tr", {}, make("th", { scope: "col" }, "figure"),
      make("th", { scope: "col", class: "number" }, "mean"), make("td"),
      make("th", { scope: "col", class: "number" }, "95 % interval"));
    $("figures").append(data.figures.length
      ? make("table", {}, make("thead", {}, headings), body)
      : make("p", {}, "No episode is scored."));
  }

  function panel(title, ...content) {
    $("overview").append(make("section", { class: "panel" }, make("h3", {}, title), ...content));
  }
  const rest = (count, what) => count ? [make("p", { class: "soft" }, `and ${whole(count)} more ${what}`)] : [];

  function plots() {
    histogram("Rewards", data.rewards, (number) => number === 0 ? "0"
      : number === data.rewards.length - 1 ? "1"
      : `${(number - 1) / 10} to ${number / 10}`, ["0", "between", "1"]);
    const last = data.calls.length - 1;
    histogram("Calls per episode", data.calls, (number) =>
      `${number}${number === data.most_calls ? " or more" : ""}`,
      last > 0 ? ["0", `${last}${last === data.most_calls ? "+" : ""}`] : ["0"]);
    const titles = { kind: "Solve-F1 by kind", environment: "Solve-F1 by environment",
      steps: "Solve-F1 by difficulty: steps of the plan" };
    for (const group of data.groups) {
      const lines = group.rows.map((each) => {
        const found = each.solve_f1;
        const shown = `${many(each.tasks, "task")}, ${many(each.episodes, "episode")}; `
          + `Solve-F1 ${fixed(found.value)}, 95 % interval ${interval(found)}; `
          + `success ${fixed(each.success.value)}`;
        return make("a", { class: "line", href: link({ [group.by]: each.name }), title: shown },
          make("span", { class: "name" }, each.name), make("span", { class: "count soft" }, whole(each.tasks)),
          strip(found.value, found.low, found.high, true, shown),
          make("span", { class: "number" }, fixed(found.value, 2)));
      });
      panel(titles[group.by], make("div", { class: "lines" }, ...lines),
        ...rest(group.left, `${group.by}s, with fewer tasks`));
    }
    const scored = Math.max(data.episodes - data.not_scored, 1);
    const lines = data.checks.rows.map(([name, count]) => {
      const shown = `failed in ${many(count, "episode")}`;
      return make("a", { class: "line", href: link({ check: name }), title: shown },
        make("span", { class: "name" }, name), make("span", { class: "count soft" }, whole(count)),
        strip(count / scored, null, null, true, shown),
        make("span", { class: "number" }, `${(100 * count / scored).toFixed(1)} %`));
    });
    panel("Checks that fail, in scored episodes", lines.length
      ? make("div", { class: "lines failing" }, ...lines) : make("p", { class: "soft" }, "None."),
      ...rest(data.checks.left, "checks"));
  }

  function histogram(title, counts, nameOf, axis) {
    const highest = Math.max(...counts, 1);
    const texts = counts.map((count, number) => `${nameOf(number)}: ${many(count, "episode")}`);
    const bars = counts.map((count, number) => draw("g", {}, draw("title", {}, texts[number]),
      draw("rect", { class: "reach", x: 10 * number, y: 0, width: 10, height: 60 }),
      draw("rect", { class: "value", x: 10 * number + 1, y: 60 - 60 * count / highest, width: 8,
        height: 60 * count / highest })));
    const drawn = draw("svg", { viewBox: `0 0 ${Math.max(10 * counts.length, 1)} 60`, role: "img",
      preserveAspectRatio: "none", class: "histogram", "aria-label": texts.join("; ") }, ...bars);
    panel(title, make("p", { class: "soft peak" }, whole(Math.max(...counts, 0))), drawn,
      make("div", { class: "axis soft" }, ...axis.map((text) => make("span", {}, text))));
  }

  // ---------------------------------------------------------------- the state is the address

  const FIELDS = ["environment", "kind", "steps", "outcome", "check", "q", "sort", "page", "episode"];
  let state = {};
  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(FIELDS.map((name) => [name, given.get(name) ?? ""]));
  }
  function link(wanted) {
    const made = new URLSearchParams();
    for (const name of FIELDS) if (wanted[name]) made.set(name, wanted[name]);
    return `#${made}`;
  }
  function go(changes, replace = false) {
    const target = link({ ...state, ...changes });
    if (replace) history.replaceState(null, "", target);
    else history.pushState(null, "", target);
    show();
  }

  // ---------------------------------------------------------------- filters

  const OUTCOMES = table({
    success: ["success", (row) => row[SUCCESS] === 1],
    failed: ["no success", (row) => row[REWARD] !== null && row[SUCCESS] === 0],
    partial: ["part of the reward", (row) => row[REWARD] > 0 && row[SUCCESS] === 0],
    zero: ["no reward", (row) => row[REWARD] === 0],
    unscored: ["not scored", (row) => row[REWARD] === null],
  });
  const ORDERS = table({
    reward: ["reward", (row) => row[REWARD] ?? -1],
    f1: ["Solve-F1", (row) => row[F1] ?? -1],
    calls: ["calls", (row) => row[CALLS] ?? -1],
    steps: ["steps", (row) => row[STEPS] ?? -1],
    id: ["name", (row) => row[ID]],
  });
  const SORTS = table({ "": "in order of the run", reward: "lowest reward first",
    "-reward": "highest reward first", f1: "lowest Solve-F1 first", "-f1": "highest Solve-F1 first",
    calls: "fewest calls first", "-calls": "most calls first", steps: "fewest steps first",
    "-steps": "most steps first", id: "by name", "-id": "by name, backwards" });
  const TESTS = {
    environment: (wanted) => (row) => names[row[ENVIRONMENT]] === wanted,
    kind: (wanted) => (row) => names[row[KIND]] === wanted,
    steps: (wanted) => (row) => (row[STEPS] === null ? "?" : String(row[STEPS])) === wanted,
    outcome: (wanted) => OUTCOMES[wanted]?.[1] ?? (() => false),
    check: (wanted) => (row) => row[CHECKS].some((number) => names[number] === wanted),
    q: (wanted) => {
      const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
      return (row) => { const text = searched(row); return words.every((word) => text.includes(word)); };
    },
  };
  const texts = new Map();
  function searched(row) {
    let text = texts.get(row);
    if (text === undefined) {
      const named = [...row[CHECKS], ...row[TOOLS]].map((number) => names[number]);
      text = [row[ID], row[UNSCORED] ?? "", row[PROMPT], row[ANSWER], ...named].join("\n").toLowerCase();
      texts.set(row, text);
    }
    return text;
  }

  const controls = {};
  function filters() {
    const counted = (values) => {
      const counts = new Map();
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
      return [...counts].sort((a, b) => a[0].localeCompare(b[0], "en", { numeric: true }))
        .map(([value, count]) => [value, `${value} (${whole(count)})`]);
    };
    const choice = (name, label, options) => {
      const select = make("select", { onchange: () => go({ [name]: select.value, page: "" }) },
        ...options.map(([value, text]) => make("option", { value }, text)));
      controls[name] = select;
      return make("label", {}, make("span", {}, label), select);
    };
    const search = make("input", { type: "search", placeholder: "id, prompt, answer, tool, check",
      oninput: () => go({ q: search.value, page: "" }, true) });
    controls.q = search;
    const all = ["", "all"];
    $("filters").append(
      make("label", { class: "search" }, make("span", {}, "search"), search),
      choice("environment", "environment", [all, ...counted(rows.map((row) => names[row[ENVIRONMENT]]))]),
      choice("kind", "kind", [all, ...counted(rows.map((row) => names[row[KIND]]))]),
      choice("steps", "steps", [all, ...counted(rows.map((row) => row[STEPS] === null ? "?" : String(row[STEPS])))]),
      choice("outcome", "outcome", [all, ...Object.entries(OUTCOMES).map(([value, [text, test]]) =>
        [value, `${text} (${whole(rows.filter(test).length)})`])]),
      choice("check", "failing check", [all, ...counted(rows.flatMap((row) => row[CHECKS].map((number) => names[number])))]),
      choice("sort", "order", Object.entries(SORTS)),
      make("button", { type: "button", onclick: () => go(Object.fromEntries(FIELDS.map((name) => [name, ""]))) }, "Clear"));
    $("filters").onsubmit = (event) => event.preventDefault();
  }
  function settle() {
    for (const [name, control] of Object.entries(controls)) {
      const wanted = state[name];
      if (control.tagName === "SELECT" && ![...control.options].some((each) => each.value === wanted))
        control.append(make("option", { value: wanted }, wanted));
      if (control.value !== wanted) control.value = wanted;
    }
  }

  let chosen = [];
  function choose() {
    const tests = Object.keys(TESTS).filter((name) => state[name]).map((name) => TESTS[name](state[name]));
    chosen = [];
    rows.forEach((row, number) => { if (tests.every((test) => test(row))) chosen.push(number); });
    const order = ORDERS[state.sort.replace(/^-/, "")];
    if (order && state.sort in SORTS) {
      const sign = state.sort.startsWith("-") ? -1 : 1;
      const keys = new Map(chosen.map((number) => [number, order[1](rows[number])]));
      chosen.sort((a, b) => {
        const [left, right] = [keys.get(a), keys.get(b)];
        return left < right ? -sign : left > right ? sign : a - b;
      });
    }
  }

  // ---------------------------------------------------------------- the list

  const MARKS = { good: ["✓", "success"], open: ["◐", "part of the reward"], bad: ["✗", "no reward"],
    none: ["–", "not scored"] };
  const outcomeOf = (row) => row[REWARD] === null ? "none" : row[SUCCESS] ? "good" : row[REWARD] > 0 ? "open" : "bad";
  function mark(outcome) {
    const [sign, text] = MARKS[outcome];
    return make("span", { class: `mark ${outcome}`, title: text, role: "img", "aria-label": text }, sign);
  }

  function list() {
    const scored = chosen.filter((number) => rows[number][REWARD] !== null);
    const mean = (place) => fixed(scored.reduce((sum, number) => sum + rows[number][place], 0) / scored.length);
    $("found").textContent = `${whole(chosen.length)} of ${many(rows.length, "episode")}`
      + (scored.length ? ` · Solve-F1 ${mean(F1)} · success ${mean(SUCCESS)} · reward ${mean(REWARD)}` : "");
    const pages = Math.max(Math.ceil(chosen.length / PAGE), 1);
    const open = chosen.indexOf(numbers.get(state.episode));
    const asked = state.page ? parseInt(state.page, 10) || 1 : open < 0 ? 1 : Math.floor(open / PAGE) + 1;
    const current = Math.min(Math.max(asked, 1), pages);
    const shown = chosen.slice((current - 1) * PAGE, current * PAGE);
    const sorted = (name, label, style) => {
      const down = state.sort === `-${name}`;
      const arrow = down ? " ↓" : state.sort === name ? " ↑" : "";
      return make("th", { scope: "col", class: style,
        "aria-sort": down ? "descending" : arrow ? "ascending" : null },
        make("button", { type: "button", onclick: () => go({ page: "", sort: state.sort === name ? `-${name}` : name }) },
          label + arrow));
    };
    const heading = make("tr", {}, make("th", { scope: "col", class: "sign" }, make("span", { class: "unseen" }, "outcome")),
      sorted("id", "episode", ""), make("th", { scope: "col", class: "kind" }, "kind"),
      sorted("steps", "steps", "number steps"), sorted("reward", "reward", "number"),
      sorted("f1", "F1", "number f1"), sorted("calls", "calls", "number"));
    const body = make("tbody", {}, ...shown.map(line));
    const table = make("table", {}, make("thead", {}, heading), body);
    const step = (to, label, text) => make("button", { type: "button", "aria-label": label,
      ...(to < 1 || to > pages ? { disabled: "" } : {}), onclick: () => { go({ page: String(to) }); $("list").scrollIntoView({ block: "nearest" }); } }, text);
    const pager = make("nav", { class: "pager", "aria-label": "Pages" }, step(1, "First page", "«"), step(current - 1, "Previous page", "‹"),
      make("span", {}, `page ${whole(current)} of ${whole(pages)}`), step(current + 1, "Next page", "›"), step(pages, "Last page", "»"));
    $("list").replaceChildren(chosen.length ? table : make("p", {}, "No episode is like this."), ...(pages > 1 ? [pager] : []));
  }

  function line(number) {
    const row = rows[number];
    const isOpen = state.episode === row[ID];
    const failing = row[CHECKS].map((each) => names[each]);
    const note = row[UNSCORED] ?? (failing.length ? `✗ ${failing.join(", ")}`
      : row[SUCCESS] ? "" : "all checks hold; more calls than it takes");
    const name = make("a", { href: link({ ...state, episode: row[ID] }), ...(isOpen ? { "aria-current": "true" } : {}) }, row[ID]);
    return make("tr", { class: isOpen ? "open-row" : null,
      onclick: (event) => { if (!event.target.closest("a") && !String(getSelection())) go({ episode: row[ID] }); } },
      make("td", { class: "sign" }, mark(outcomeOf(row))),
      make("td", { class: "task" }, name, make("div", { class: "prompt soft" }, row[PROMPT]),
        note ? make("div", { class: failing.length && !row[UNSCORED] ? "note bad" : "note soft" }, note) : null),
      make("td", { class: "kind soft" }, names[row[KIND]]),
      make("td", { class: "number steps soft" }, short(row[STEPS])),
      make("td", { class: "number" }, fixed(row[REWARD], 2)),
      make("td", { class: "number f1" }, fixed(row[F1], 2)),
      make("td", { class: "number soft" }, short(row[CALLS])));
  }

  // ---------------------------------------------------------------- an episode

  let opened = null;
  function episode() {
    const pane = $("episode");
    const number = numbers.get(state.episode);
    document.body.classList.toggle("reading", state.episode !== "");
    pane.hidden = state.episode === "";
    if (opened === state.episode) return;
    opened = state.episode;
    pane.replaceChildren();
    if (state.episode === "") return;
    pane.scrollTop = 0;
    const bar = (...content) => make("div", { class: "tools" }, ...content,
      make("button", { type: "button", class: "close", onclick: () => close() }, "Close"));
    if (number === undefined) {
      pane.append(bar(), make("p", {}, "This page lists no episode ", make("code", {}, state.episode), "."));
      return;
    }
    const row = rows[number];
    const to = (by, text, label) => make("button", { type: "button", "aria-label": label, onclick: () => move(by) }, text);
    pane.append(bar(to(-1, "‹", "Previous episode"), to(1, "›", "Next episode")), make("h2", {}, mark(outcomeOf(row)), " ", row[ID]));
    const summary = row[REWARD] === null ? `not scored: ${row[UNSCORED]}`
      : `reward ${short(row[REWARD])} · Solve-F1 ${fixed(row[F1])} · ${many(row[CALLS] ?? 0, "call")}`;
    pane.append(make("p", {}, `${summary} · ${names[row[KIND]]}`));
    const holder = $(`e${number}`);
    if (!holder) {
      pane.append(make("p", { class: "open" }, "The conversation is not in this page, which would be too large. "
        + "It stands in episodes.jsonl."));
      return;
    }
    const body = JSON.parse(holder.textContent);
    if (body.verdict) pane.append(verdict(body.verdict));
    pane.append(part("Conversation", ...body.said.map(message)));
    if (body.rest.length) pane.append(part("Calls that no message makes", ...body.rest.map(call)));
    pane.append(part("Changes of the state", changes(body.changes)));
    const facts = body.facts.flatMap(([name, text]) => [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, text)]);
    pane.append(make("details", { class: "part" }, make("summary", {}, "All figures"), make("dl", {}, ...facts)));
  }
  const part = (title, ...content) => make("section", { class: "part" }, make("h3", {}, title), ...content);

  function verdict(found) {
    const lines = found.checks.map((check) => {
      const outcome = check.value >= 1 ? "good" : check.value > 0 ? "open" : "bad";
      const sign = { good: "✓", open: "◐", bad: "✗" }[outcome];
      return make("tr", { class: outcome === "good" ? null : "failed" }, make("td", { class: `sign ${outcome}` }, sign),
        make("td", { class: "check" }, check.name, make("span", { class: "soft" }, ` ${check.kind}`)),
        make("td", { class: "number" }, short(check.value), check.weight === 1 ? null : make("span", { class: "soft" }, ` × ${short(check.weight)}`)),
        make("td", { class: "reason" }, check.reason ?? ""));
    });
    const heading = make("tr", {}, ...["", "check", "value", "reason"].map((text) => make("th", { scope: "col", class: text === "value" ? "number" : null }, text)));
    return part(`Verdict: reward ${short(found.reward)}, ${found.solved} of ${found.goals} goals`,
      make("table", { class: "checks" }, make("thead", {}, heading), make("tbody", {}, ...lines)));
  }

  function block(text, style = "") {
    return make("pre", { class: text.length > 1500 || text.split("\n").length > 24 ? `long ${style}` : style,
      tabindex: text.length > 1500 || text.split("\n").length > 24 ? "0" : null }, text);
  }
  function message(said) {
    const content = [];
    if (said.text) content.push(make("div", { class: "text" }, said.text));
    content.push(...(said.calls ?? []).map(call));
    if (!content.length) content.push(make("div", { class: "text soft" }, "(nothing)"));
    return make("div", { class: "message" }, make("div", { class: "role" }, said.role), make("div", { class: "content" }, ...content));
  }
  const STATUS = table({ ok: "good", failed: "open", rejected: "bad", exhausted: "bad", fault: "bad" });
  function call(made) {
    const parts = [make("div", { class: "tool" }, make("code", {}, made.tool), " ",
      make("span", { class: `status ${STATUS[made.status] ?? ""}` }, made.status))];
    const labelled = (label, text) => make("div", { class: "labelled" }, make("span", { class: "label soft" }, label), block(text));
    if (made.arguments !== undefined) parts.push(labelled("given", made.arguments));
    if (made.result !== undefined) parts.push(labelled("result", made.result));
    if (made.read !== undefined) parts.push(labelled("read as", made.read));
    for (const [place, text] of made.writes ?? []) parts.push(labelled("wrote", `${place} = ${text}`));
    return make("div", { class: "call" }, ...parts);
  }
  function changes(found) {
    if (!found.length) return make("p", { class: "soft" }, "None.");
    const side = (text, style) => text === null ? make("td", { class: "soft" }, "–") : make("td", {}, block(text, style));
    const lines = found.flatMap((made) => (made.parts.length ? made.parts : [["", null, null]]).map(([path, before, after]) =>
      make("tr", {}, make("td", { class: "path" }, make("code", {}, made.place + path), " ",
        made.what === "changed" ? null : make("span", { class: "soft" }, made.what ?? "")),
      side(before, "before"), side(after, "after"))));
    const heading = make("tr", {}, ...["place", "before", "after"].map((text) => make("th", { scope: "col" }, text)));
    return make("table", { class: "changes" }, make("thead", {}, heading), make("tbody", {}, ...lines));
  }

  // ---------------------------------------------------------------- moving about

  function close() {
    const before = state.episode;
    go({ episode: "" });
    const at = [...$("list").querySelectorAll("a")].find((each) => each.textContent === before);
    at?.focus({ preventScroll: false });
  }
  function move(by) {
    const at = chosen.indexOf(numbers.get(state.episode));
    const next = chosen[at < 0 ? 0 : at + by];
    if (next === undefined) return;
    go({ episode: rows[next][ID], page: "" });
    $("list").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }
  function walk(by, event) {
    const links = [...$("list").querySelectorAll("tbody a")];
    const at = links.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input, select, textarea");
    if (event.key === "Escape" && state.episode) close();
    else if (typing) return;
    else if (event.key === "/") { event.preventDefault(); controls.q.focus(); }
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "ArrowDown") walk(1, event);
    else if (event.key === "ArrowUp") walk(-1, event);
  });

  function show() {
    const before = state;
    state = read();
    settle();
    choose();
    list();
    episode();
    if (state.episode && before.episode !== state.episode && before.q !== undefined)
      $("episode").focus({ preventScroll: innerWidth >= 1024 });
  }
  addEventListener("hashchange", show);
  addEventListener("popstate", show);
  head();
  figures();
  plots();
  filters();
  show();
  if (state.episode) $("browser").scrollIntoView();
})();
