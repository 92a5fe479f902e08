"""Makes environments of about 100 lines: every one different, all of them from their number.

`python -m benchmarks.generate FOLDER [COUNT]` writes them as specs, with a data file each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

THINGS = (
    "lamp", "violin", "kettle", "tent", "camera", "ladder", "globe", "clock", "drill", "canoe",
    "easel", "rug", "stove", "bicycle", "mirror", "piano", "radio", "anchor", "loom", "statue",
)  # fmt: skip
PLACES = ("depot", "museum", "workshop", "archive", "market", "library", "harbour", "studio")
PEOPLE = ("Ada", "Ben", "Chloe", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jun", "Kofi")
WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet", "jade")
STATUSES = ("new", "ready", "lent", "broken", "sold", "reserved")


def environment(number: int) -> dict[str, str]:
    """The files of the environment of that number, by name: a spec, and a table's rows."""
    random = Random(number)
    thing, other = random.sample(THINGS, 2)
    place = random.choice(PLACES)
    name = f"{place}_{number:04d}"
    free, taken, gone = random.sample(STATUSES, 3)
    owners = random.sample(PEOPLE, random.randint(4, 8))
    rows = [
        {
            "name": f"{random.choice(WORDS)} {thing} {index}",
            "owner": random.choice(owners),
            "price": random.randint(5, 900),
            "status": free if index < 4 else random.choice((free, taken)),
            "tags": sorted(random.sample(WORDS, random.randint(0, 3))),
        }
        for index in range(random.randint(8, 24))
    ]
    spec = [
        *_data(random, name, thing, place, (free, taken, gone), owners),
        *_tools(random, thing, other, (free, taken, gone)),
        *_scenarios(random, thing, (free, taken, gone), owners),
    ]
    return {
        f"{name}.toolc": "\n".join(spec) + "\n",
        f"{name}.json": json.dumps(rows, indent=1) + "\n",
    }


def _data(
    random: Random,
    name: str,
    thing: str,
    place: str,
    statuses: tuple[str, str, str],
    owners: list[str],
) -> list[str]:
    free, taken, gone = statuses
    day = f"2024-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    people = ", ".join(
        f'{{name: "{owner}", credit: {random.randint(50, 2000)}}}' for owner in owners
    )
    return f"""\
toolc 1
environment {name} "A {place} of {thing}s." version "1.{random.randint(0, 9)}"
  clock "{day}T09:00:00" seed {random.randint(0, 999)}

enum Status "What becomes of a {thing}." {{ "{free}", "{taken}", "{gone}" }}

record Owner "Somebody who owns {thing}s." {{
  name: str,
  credit: int(minimum: 0) "What is left to spend, in euros.",
}}

record Item "One {thing} of the {place}." {{
  name: str,
  owner: ref owners,
  price: int(minimum: 1) "In euros.",
  status: Status,
  tags: list[str] = [],
  note?: str,
}}

table owners[name]: Owner = [{people}]
table items[name]: Item = file("{name}.json")
state changed: int = 0

const rate = {{"{free}": 1, "{taken}": 2, "{gone}": {random.randint(3, 9)}}}

invariant solvent "Nobody owes anything.": all(o.credit >= 0 for o in owners)
""".splitlines()


def _tools(random: Random, thing: str, other: str, statuses: tuple[str, str, str]) -> list[str]:
    free, taken, gone = statuses
    text = f"""
fn worth "What a {thing} counts for." (item: Item) -> int {{
  return item.price * rate[item.status]
}}

tool owner_of "Who owns a {thing}." (item: str "Its full name.") -> str {{
  let row = items[item] else fail "no {thing} is called {{item}}"
  return row.owner
}}

tool credit_of "What an owner may still spend, in euros." (owner: str) -> int {{
  return owners[owner].credit else fail "unknown owner: {{owner}}"
}}

tool dearest "The {thing}s of an owner, dearest first." (
  owner: str,
  limit: int(minimum: 1, maximum: 10) = {random.randint(2, 5)} "At most this many.",
) -> list[{{name: str, price: int}}] {{
  require owner in owners else fail {{error: "unknown owner", owner: owner}}
  let found = sorted(i for i in items if i.owner == owner by i.price desc, i.name)
  return [{{name: i.name, price: i.price}} for i in take(found, limit)]
}}
"""
    extra = (
        f"""
tool total_worth "What all {thing}s of a status count for." (status: Status) -> int {{
  return sum([worth(i) for i in items if i.status == status])
}}
""",
        f"""
tool tagged "The names of the {thing}s with a tag." (tag: str) -> list[str] {{
  var names: list[str] = []
  for i in items if tag in i.tags {{
    append i.name to names
  }}
  return names
}}
""",
        f"""
tool compare "Which of two {thing}s costs more." (a: str, b: str) -> str {{
  let x = items[a] else fail "no {other} here: {{a}}"
  let y = items[b] else fail "no {other} here: {{b}}"
  if x.price >= y.price {{ return x.name }} else {{ return y.name }}
}}
""",
    )
    text += "".join(random.sample(extra, 2))
    text += f"""
tool take_item "Take a {thing} for its owner; it is paid from the owner's credit." (
  item: str,
  note: str? = null "Kept with the {thing}.",
) -> Item {{
  let row = items[item] else fail "no {thing} is called {{item}}"
  require row.status == "{free}" else fail {{error: "not {free}", status: row.status}}
  items[item].status = "{taken}"
  if note != null {{ items[item].note = note }}
  changed += 1
  return items[item]
}}

tool drop_item "Give a {thing} up." (item: str, reason: "worn" | "lost" | "unwanted") -> str {{
  require item in items else fail "no {thing} is called {{item}}"
  items[item].status = "{gone}"
  append reason to items[item].tags
  return "gone: {{item}}"
}}
"""
    return text.splitlines()


def _scenarios(
    random: Random, thing: str, statuses: tuple[str, str, str], owners: list[str]
) -> list[str]:
    free, _, gone = statuses
    first, second = random.sample(owners, 2)
    some, others = random.randint(2, 4), random.randint(2, 4)
    always = f"""
scenario credit_left for o in owners sample {some} {{
  user "How much may {{o.name}} still spend?"
  plan {{ step "What is left?" let left = credit_of(owner: o.name) }}
  answer left
}}

scenario owner_credit for i in items if i.price > {random.randint(5, 40)} sample {others} {{
  user "What credit is left to whom the {{i.name}} belongs?"
  tools [owner_of, credit_of] distractors {random.randint(1, 3)}
  plan {{
    step "Whose is it?" let owner = owner_of(item: i.name)
    step "What is left?" let left = credit_of(owner: owner)
  }}
  answer left
}}
"""
    extra = (
        f"""
scenario both_credits "Two questions that do not depend on each other." {{
  user "What may {first} and {second} spend together?"
  plan {{
    step let a = credit_of(owner: "{first}")
    step let b = credit_of(owner: "{second}")
  }}
  answer a + b
}}
""",
        f"""
scenario thanks {{
  user "Thank you, that is all about the {thing}s."
  plan none
  verify {{ constraint calls <= 0 }}
}}
""",
        f"""
scenario take_one for i in items if i.status == "{free}" sample 2 {{
  user "Please take {{i.name}}, with the note 'for {{i.owner}}'."
  plan {{ step let row = take_item(item: i.name, note: "for {{i.owner}}") }}
  verify {{ never drop_item(), constraint calls <= 3 }}
}}
""",
        f"""
scenario drop_twice for i in items if i.status == "{free}" sample 2 {{
  turn {{
    user "Give {{i.name}} up, it is lost."
    plan {{ step drop_item(item: i.name, reason: "lost") }}
  }}
  turn {{
    user "Now take it after all."
    plan {{ step take_item(item: i.name) fails }}
  }}
  verify {{ check is_gone: items[i.name].status == "{gone}", state ignore [items.tags] }}
}}
""",
    )
    test = f"""
test "what is gone can't be taken" {{
  expect owner_of(item: "nothing") fails with "no {thing} is called nothing"
}}
"""
    return (always + "".join(random.sample(extra, 2)) + test).splitlines()


def write(folder: Path, count: int) -> list[Path]:
    """Writes the first `count` environments into a folder; returns the paths of their specs."""
    folder.mkdir(parents=True, exist_ok=True)
    specs = []
    for number in range(count):
        for name, text in environment(number).items():
            (folder / name).write_text(text, encoding="utf-8")
            specs += [folder / name] if name.endswith(".toolc") else []
    return specs


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
