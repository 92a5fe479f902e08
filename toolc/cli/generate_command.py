"""`toolc generate`: environments from tables or questions, in stages that can be run one by one."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli import asking
from toolc.cli.progress import Progress
from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, positive, say
from toolc.generate.tables.reading import Note

if TYPE_CHECKING:
    from toolc.cluster import Cluster
    from toolc.generate.model.begin import Left
    from toolc.generate.model.source import Model
    from toolc.generate.pipeline import Outcome, Stored, Work
    from toolc.generate.tables.reading import Aside

STAGES = ("decompose", "document", "integrate", "scale", "deploy")
KINDS = ("single_hop", "parallel_single_hop", "multi_hop", "parallel_multi_hop")
SETTINGS = "generate.json"
ASIDE = "aside.jsonl"
ATTEMPTS = "attempts.jsonl"
BUILD = "build"
SHOWN = 10
"""Notes, and tasks that went, that are shown; the files hold all."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "generate",
        description="Make environments from a folder of tables (CSV, JSON, SQLite): tools that "
        "look up, filter, sum up and rank, and tasks of all kinds that the compiler and the "
        "audit have proved sound; or from questions, or a domain, with a model. Each stage writes "
        "specs to a folder of its own, to read, check and edit; what has not changed is not made "
        "again.",
        epilog=epilog(
            {
                "toolc generate -o made --tables data": "all stages; made/build is ready for use",
                "toolc generate scale deploy -o made": "two stages, say after editing",
                "toolc generate -o made --questions q.jsonl --endpoint URL --model NAME": "a model",
            },
            "every environment is made",
            "some are not",
        ),
    )
    parser.add_argument(
        "stages", nargs="*", metavar="STAGE", help=f"{', '.join(STAGES)} (default: all)"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder of all results"
    )
    parser.add_argument("--tables", metavar="DATA_DIR", help="folder of tables, with those below")
    parser.add_argument(
        "--questions", metavar="FILE.jsonl", help='questions for a model: {"question": "…"}'
    )
    parser.add_argument("--domain", metavar="TEXT", help="what a model is to invent questions of")
    parser.add_argument("--seed", type=int, metavar="N", help="of all choices (default: 0)")
    parser.add_argument("--tasks", type=positive, metavar="N", help="how many (default: 240)")
    parser.add_argument(
        "--kinds",
        metavar="KIND=SHARE,…",
        help=f"mix of {', '.join(KINDS)} (default: equal shares)",
    )
    parser.add_argument("--depth", type=positive, metavar="N", help="deepest plans (default: 3)")
    parser.add_argument("--width", type=positive, metavar="N", help="widest plans (default: 3)")
    parser.add_argument("--writes", action="store_true", default=None, help="also tasks that write")
    parser.add_argument(
        "--scale", metavar="NAME,…", help="transformations of stage 4, or `none` (default: all)"
    )
    parser.add_argument(
        "--jobs",
        "-j",
        type=positive,
        metavar="N",
        help="processes (default: all cores), or requests at a time (default: 8)",
    )
    parser.add_argument(
        "--force", "-f", action="store_true", help="make all anew, also what was edited"
    )
    asking.add_options(parser)
    asking.add_ray(parser)
    add_format(parser, "human", "json")


DEFAULTS: Mapping[str, Any] = {
    "tables": None,
    "questions": None,
    "domain": None,
    "model": None,
    "rounds": asking.ROUNDS,
    "seed": 0,
    "tasks": 240,
    "kinds": ",".join(f"{kind}=1" for kind in KINDS),
    "depth": 3,
    "width": 3,
    "writes": False,
    "scale": "",
}
"""Options that a folder keeps, so that a later run need not repeat them."""


def run(args: argparse.Namespace) -> int:
    stages = _stages(args.stages)
    kept = _settings(args)
    shown = args.format == "human"
    with asking.cluster(args) as cluster:
        outcomes, asked, notes, left = _run(args, kept, stages, shown, cluster)
    failed = [outcome for outcome in outcomes if outcome.how == "failed"]
    found: dict[str, Any] = {"output": args.output, "stages": list(stages)}
    if STAGES[-1] in stages:
        found |= _assembled(args, outcomes)
        found["asked"] = asked
    found["failed"] = [
        {"environment": each.environment, "stage": each.stage, "reason": each.reason}
        for each in failed
    ]
    found["left"] = [each._asdict() for each in left]
    if args.format == "json":
        print(json.dumps(found, ensure_ascii=False))
    else:
        told = [Note(each.id, each.reason) for each in left]
        _show(found, outcomes, [*notes, *told], args.output)
    return 1 if failed or left else 0


def _stages(given: Sequence[str]) -> tuple[str, ...]:
    unknown = [stage for stage in given if stage not in STAGES]
    if unknown:
        raise UsageError(f"there is no stage `{unknown[0]}`; they are {', '.join(STAGES)}")
    return tuple(stage for stage in STAGES if not given or stage in given)


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """The options of this run: those that are given, else those of the folder, else the usual."""
    path = os.path.join(args.output, SETTINGS)
    known: dict[str, Any] = {}
    if os.path.lexists(path):
        from toolc.cli.loading import read_json

        value = read_json(path)
        if not isinstance(value, dict):
            raise UsageError(f"`{path}` holds no options")
        known = {
            name: value[name]
            for name, usual in DEFAULTS.items()
            if isinstance(value.get(name), (str, dict) if usual is None else type(usual))
        }
    given = {name: getattr(args, name) for name in DEFAULTS if getattr(args, name) is not None}
    asked = [name for name in SOURCES if name in given]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} exclude each other")
    if asked:
        known = {name: each for name, each in known.items() if name not in SOURCES}
    given.pop("model", None)
    if args.endpoint is not None or args.model_path is not None:
        given["model"] = asking.settings_of(args)
    settings = {**DEFAULTS, **known, **given}
    if settings["questions"] or settings["domain"]:
        if not isinstance(settings["model"], dict):
            raise UsageError("say which model: --endpoint URL --model NAME, or --model-path FOLDER")
        settings["scale"] = "none"
    return settings


SOURCES = ("tables", "questions", "domain")
"""Options of which one says what environments are made from."""


def _kinds(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        kind, _, share = part.partition("=")
        try:
            shares[kind.strip()] = float(share or 1)
        except ValueError:
            raise UsageError(f"`{part}` is no kind with its share, as `multi_hop=2`") from None
        if kind.strip() not in KINDS or not 0 <= shares[kind.strip()] < 1e6:
            raise UsageError(f"`{part}` is no kind with its share; kinds are {', '.join(KINDS)}")
    if not sum(shares.values()):
        raise UsageError("the kinds have no share")
    return shares


def _scaling(text: str) -> tuple[str, ...]:
    from toolc.generate.tables.transformations import TRANSFORMATIONS

    if text == "none":
        return ()
    names = [name.strip() for name in text.split(",")] if text else list(TRANSFORMATIONS)
    for name in names:
        if name not in TRANSFORMATIONS:
            listed = ", ".join(TRANSFORMATIONS)
            raise UsageError(f"there is no transformation `{name}`; there are {listed}")
    return tuple(names)


def _run(
    args: argparse.Namespace,
    kept: Mapping[str, Any],
    stages: tuple[str, ...],
    shown: bool,
    cluster: Cluster | None,
) -> tuple[list[Outcome], int, Sequence[Note], Sequence[Left]]:
    from toolc.generate import pipeline
    from toolc.generate.tables.source import Tables
    from toolc.generate.tables.transformations import TRANSFORMATIONS
    from toolc.workers import WorkerError

    settings = pipeline.Settings(kept["seed"], _scaling(kept["scale"]))
    begun: dict[str, Stored] = {}
    notes: Sequence[Note] = ()
    left: Sequence[Left] = ()
    wanted = kept["tasks"]
    model = _model(args, kept) if kept["questions"] or kept["domain"] else None
    if stages[0] == STAGES[0]:
        if model is not None:
            begun, left, wanted = _asked(args, kept, model, shown, cluster)
        else:
            begun, notes = _begin(args, kept)
        names = list(begun)
    else:
        before = STAGES[STAGES.index(stages[0]) - 1]
        names = pipeline.environments_in(args.output, before)
        if not names:
            raise UsageError(f"`{args.output}` holds nothing of the stage `{before}`")
    work = [
        pipeline.Work(
            args.output,
            name,
            stages,
            settings,
            model or Tables(),
            TRANSFORMATIONS,
            begun.get(name),
            args.force,
            model is not None,
        )
        for name in names
    ]
    outcomes: list[Outcome] = []
    with Progress("environments", len(work), shown=shown) as progress:
        try:
            for made in _runs(work, args.jobs, model is not None, cluster):
                outcomes += made
                progress.advance()
        except WorkerError as error:
            raise UsageError(str(error)) from None
    outcomes.sort(key=lambda each: names.index(each.environment))
    return outcomes, wanted, notes, left


def _runs(
    work: Sequence[Work], jobs: int | None, asks: bool, cluster: Cluster | None
) -> Iterator[list[Outcome]]:
    """What comes of each environment: on a cluster, in threads where a model is asked, or in
    processes. Raises `WorkerError`."""
    from toolc.generate.pipeline import lost, run
    from toolc.workers import in_threads, mapped

    if cluster is not None:
        return cluster.each(run, work, lost)
    if asks:
        return in_threads(run, work, jobs or asking.IN_FLIGHT)
    return mapped(run, work, jobs or os.cpu_count() or 1)


# ---------------------------------------------------------------- with a model


def _model(args: argparse.Namespace, kept: Mapping[str, Any]) -> Model:
    from toolc.emission.attempts import Journal, JournalError
    from toolc.emission.loop import Loop
    from toolc.files import why
    from toolc.generate.model.source import Model

    try:
        os.makedirs(args.output, exist_ok=True)
        journal = Journal(os.path.join(args.output, ATTEMPTS))
    except JournalError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"cannot write `{args.output}`: {why(error)}") from None
    asker = asking.asker_for(args, kept["model"])
    return Model(Loop(asker, journal, kept["rounds"], kept["seed"]))


def _asked(
    args: argparse.Namespace,
    kept: Mapping[str, Any],
    model: Model,
    shown: bool,
    cluster: Cluster | None,
) -> tuple[dict[str, Stored], Sequence[Left], int]:
    """What the model makes of questions for the first stage, the questions of which it makes
    nothing, and how many there are in all."""
    from toolc.emission.descriptions import MAX_TEXT, LinesError, read_items
    from toolc.generate.draft import StageError
    from toolc.generate.model import begin
    from toolc.generate.pipeline import Stored

    limits = (kept["depth"], kept["width"])
    if kept["questions"] is not None:
        try:
            asked = begin.given(read_items(kept["questions"], "question"), *limits)
        except LinesError as error:
            raise UsageError(str(error)) from None
    elif not kept["domain"].strip() or len(kept["domain"]) > MAX_TEXT:
        raise UsageError(f"a domain has 1 to {MAX_TEXT:,} characters")
    else:
        asked = begin.invented(kept["domain"], kept["tasks"], _kinds(kept["kinds"]), *limits)
    settled: dict[str, Any] = {}
    with Progress("questions", len(asked), shown=shown) as progress:
        try:
            jobs = args.jobs or asking.IN_FLIGHT
            for each, found in begin.decomposed(model, asked, jobs, cluster):
                progress.advance()
                if found is not None:
                    settled[each.id] = found
        except StageError as error:
            raise UsageError(str(error)) from None
    drafts, left = begin.assembled(asked, settled)
    told = [Note(each.id, each.reason) for each in left]
    _keep(args.output, kept, told, ())
    return {draft.name: Stored(draft, {}) for draft in drafts}, left, len(asked)


# ---------------------------------------------------------------- from tables


def _begin(
    args: argparse.Namespace, kept: Mapping[str, Any]
) -> tuple[dict[str, Stored], Sequence[Note]]:
    """What the tables give the first stage; keeps the options, and what was not used."""
    from toolc.files import why
    from toolc.generate.pipeline import Stored
    from toolc.generate.tables.environments import Wishes, begin
    from toolc.generate.tables.reading import read_folder

    if kept["tables"] is None:
        raise UsageError("say with --tables, --questions or --domain what to make them from")
    if not os.path.isdir(kept["tables"]):
        raise UsageError(f"`{kept['tables']}` is not a folder")
    try:
        read = read_folder(kept["tables"])
    except OSError as error:
        raise UsageError(f"cannot read `{kept['tables']}`: {why(error)}") from None
    wishes = Wishes(
        kept["seed"],
        kept["tasks"],
        _kinds(kept["kinds"]),
        kept["writes"],
        kept["depth"],
        kept["width"],
    )
    beginning = begin(read, wishes)
    if not beginning.environments:
        reasons = "; ".join(f"{note.subject}: {note.reason}" for note in beginning.notes[:3])
        raise UsageError(f"`{kept['tables']}` holds no table to ask of ({reasons or 'no files'})")
    _keep(args.output, kept, beginning.notes, beginning.aside)
    begun = {
        each.draft.name: Stored(
            each.draft, {name: text.encode() for name, text in each.files.items()}
        )
        for each in beginning.environments
    }
    return begun, beginning.notes


def _keep(
    root: str, kept: Mapping[str, Any], notes: Sequence[Note], aside: Sequence[Aside]
) -> None:
    from toolc.files import why
    from toolc.output import write_file

    told = [{"subject": note.subject, "reason": note.reason} for note in notes]
    text = json.dumps({**kept, "notes": told}, indent=1, ensure_ascii=False) + "\n"
    rows = "".join(json.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in aside)
    try:
        os.makedirs(root, exist_ok=True)
        write_file(os.path.join(root, SETTINGS), text.encode())
        write_file(os.path.join(root, ASIDE), rows.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{error.filename or root}`: {why(error)}") from None


# ---------------------------------------------------------------- what comes out


def _assembled(args: argparse.Namespace, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Puts the environments whose last stage is done into one build; counts their tasks."""
    from toolc.generate.pipeline import facts_of

    done = {
        outcome.environment: outcome
        for outcome in outcomes
        if outcome.stage == STAGES[-1] and outcome.how != "failed"
    }
    if done:
        _build(args.output, done)
    kinds: Counter[str] = Counter()
    tasks: dict[str, int] = {}
    dropped = []
    for name in done:
        facts = facts_of(args.output, name)
        kinds.update(facts.get("kinds") or {})
        tasks[name] = facts.get("tasks") or 0
        dropped += [{"environment": name, **each} for each in facts.get("dropped") or []]
    return {
        "build": os.path.join(args.output, BUILD),
        "environments": tasks,
        "tasks": sum(tasks.values()),
        "kinds": dict(sorted(kinds.items())),
        "dropped": dropped,
    }


def _build(output: str, done: Mapping[str, Outcome]) -> None:
    """Writes the build of these environments and of no others. It holds no records of what it was
    made from, which would name the folder: a generation gives the same bytes anywhere."""
    import shutil

    from toolc import __version__
    from toolc.audit.record import note
    from toolc.compiler import Options, compile_specs
    from toolc.generate.pipeline import built, facts_of, spec_of
    from toolc.incremental import holds
    from toolc.output import OutputError, note_audits, read_manifest, write_build
    from toolc.project import LANGUAGE

    root = os.path.join(output, BUILD)
    manifest = read_manifest(root)
    if manifest is not None and not set(manifest["environments"]) <= set(done):
        shutil.rmtree(root)
        manifest = None
    entries: dict[str, Any] = {} if manifest is None else manifest["environments"]
    fresh = []
    unchanged: dict[str, Any] = {}
    for name, outcome in done.items():
        entry = entries.get(name)
        if (
            entry is not None
            and built(entry) == facts_of(output, name).get("built")
            and holds(os.path.join(root, name), entry["artifacts"])
        ):
            unchanged[name] = entry
            continue
        compiled = outcome.proved.compiled if outcome.proved else None
        if compiled is None:
            compiled = next(compile_specs([spec_of(output, STAGES[-1], name)], Options()))
        if compiled.artifacts is None:
            raise UsageError(f"`{compiled.path}` does not compile; `toolc compile` says why")
        fresh.append(compiled.artifacts)
    try:
        if fresh:
            write_build(root, fresh, LANGUAGE, __version__, unchanged)
        audits = {
            name: note(os.path.join(root, name), outcome.proved.audits)
            for name, outcome in done.items()
            if outcome.proved
        }
        if audits:
            note_audits(root, audits)
    except OutputError as error:
        raise UsageError(str(error)) from None


def _show(
    found: Mapping[str, Any], outcomes: Sequence[Outcome], notes: Sequence[Note], output: str
) -> None:
    for note in notes[:SHOWN]:
        say(f"note: {note.subject}: {note.reason}")
    if len(notes) > SHOWN:
        say(f"{count(len(notes) - SHOWN, 'more note')} in {os.path.join(output, SETTINGS)}")
    for outcome in outcomes:
        if outcome.reason:
            say(f"{outcome.how}: {outcome.environment}, {outcome.stage}: {outcome.reason}")
    if "build" not in found:
        made = Counter(outcome.how for outcome in outcomes)
        say(", ".join(f"{number} {how}" for how, number in sorted(made.items())))
        return
    for each in found["dropped"][:SHOWN]:
        say(f"left out: {each['environment']} {each['name']}: {each['reason']}")
    if len(found["dropped"]) > SHOWN:
        more = count(len(found["dropped"]) - SHOWN, "more task or scenario").replace(
            "task or", "tasks or"
        )
        say(f"{more} left out; {STAGES[-1]}'s stage.json has all")
    for name, tasks in found["environments"].items():
        print(f"{name}: {count(tasks, 'task')}")
    kinds = ", ".join(f"{number} {kind}" for kind, number in found["kinds"].items())
    environments = count(len(found["environments"]), "environment")
    say(
        f"{count(found['tasks'], 'task')} of {found['asked']} asked for ({kinds}) "
        f"in {environments}, all compiled and audited: {found['build']}"
    )
