"""`toolc init`: a first project that compiles."""

from __future__ import annotations

import argparse
import os

from toolc.cli.terminal import Subparsers, UsageError, epilog, say


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "init",
        description="Write a first project: a small environment with state, a data file, scenarios "
        "and tests, and a README with the next commands. What is there already is never "
        "overwritten: then nothing is written.",
        epilog=epilog(
            {
                "toolc init": "in this folder",
                "toolc init garden": "in a new folder",
            },
            "the project is written",
        ),
    )
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", help="where to (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    from toolc.files import why

    if os.path.lexists(args.folder) and not os.path.isdir(args.folder):
        raise UsageError(f"`{args.folder}` is not a folder")
    paths = {os.path.join(args.folder, name): text for name, text in FILES.items()}
    taken = [path for path in paths if os.path.lexists(path)]
    if taken:
        raise UsageError(f"`{os.path.normpath(taken[0])}` is there already; nothing was written")
    try:
        for path, text in paths.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write to `{args.folder}`: {why(error)}") from None
    for path in paths:
        print(os.path.normpath(path))
    readme = os.path.normpath(os.path.join(args.folder, "README.md"))
    say(f"{readme} says what to do next")
    return 0


SPEC = """\
toolc 1
# A greenhouse whose beds are looked after by an assistant. See README.md for what to do with it.

environment greenhouse "The beds of a greenhouse and its water tank." version "0.1"

# ---------------------------------------------------------------- data

type BedName "Name of a bed, such as 'north'." = str(min_length: 1)

record Bed "A bed and what grows in it." {
  name: str,
  plant: str,
  moisture: int(minimum: 0, maximum: 100) "Moisture of the soil, in percent.",
  wanted: int(minimum: 0, maximum: 100) "The moisture that the plant wants, in percent.",
}

table beds[name]: Bed = file("data/beds.csv")
state tank: int(minimum: 0) = 40

invariant sane "No bed is wetter than wet.": all(b.moisture <= 100 for b in beds)

# ---------------------------------------------------------------- tools

tool get_bed "Look up a bed: its plant, its moisture, and the moisture that the plant wants." (
  bed: BedName,
) -> Bed {
  return beds[bed] else fail "unknown bed: {bed}"
}

tool find_bed "Find the bed in which a plant grows." (
  plant: str "The plant, such as 'fern'.",
) -> str {
  let found = first(b for b in beds if b.plant == plant) else fail "nobody planted {plant}"
  return found.name
}

tool get_tank "Tell how many litres are in the tank." () -> int {
  return tank
}

tool water "Water a bed; a litre adds a percent of moisture." (
  bed: BedName,
  litres: int(minimum: 1, maximum: 20) "How much.",
) -> int {
  let row = beds[bed] else fail "unknown bed: {bed}"
  require litres <= tank else fail "the tank holds only {tank} litres"
  require row.moisture + litres <= 100 else fail "bed {bed} would be flooded"
  beds[bed].moisture += litres
  tank -= litres
  return beds[bed].moisture
}

# ---------------------------------------------------------------- scenarios

scenario moisture "One call" for b in beds {
  user "How moist is the soil of bed {b.name}, in percent?"
  plan { step "How is the bed?" let bed = get_bed(bed: b.name) }
  answer bed.moisture
}

scenario two_beds "Two calls that may go together" {
  user "Which plants grow in the beds north and south?"
  plan {
    step "What grows in north?" let north = get_bed(bed: "north")
    step "What grows in south?" let south = get_bed(bed: "south")
  }
  answer [north.plant, south.plant]
}

scenario water_it "Calls that rest on each other, and change the state"
  for b in beds if b.moisture < b.wanted {
  user "Give the {b.plant} as much water as it wants."
  plan {
    step "Where does it grow?" let name = find_bed(plant: b.plant)
    step "How much does it want?" let bed = get_bed(bed: name)
    step "Water it." water(bed: name, litres: bed.wanted - bed.moisture)
  }
}

scenario weather "Nothing to call" {
  user "Will it rain tomorrow?"
  plan none
}

# ---------------------------------------------------------------- tests

test "watering empties the tank" {
  let before = get_bed(bed: "north").moisture
  expect water(bed: "north", litres: 5) == before + 5
  expect get_tank() == 35
}

test "what cannot be is refused, and changes nothing" {
  expect water(bed: "moon", litres: 1) fails with "unknown bed: moon"
  tank = 3
  expect water(bed: "north", litres: 5) fails with "the tank holds only 3 litres"
  expect tank == 3
}
"""

DATA = """\
name,plant,moisture,wanted
north,fern,52,60
south,cactus,14,12
east,basil,41,55
west,tomato,63,70
"""

README = """\
# A first environment

    toolc check .                           # is anything wrong with the spec?
    toolc test .                            # run its tests
    toolc compile .                         # write build/
    toolc show build/greenhouse             # what there is: tools, data, tasks
    toolc run build/greenhouse              # play the plan of a task
    toolc run build/greenhouse --call water '{"bed": "north", "litres": 5}'
    toolc fmt .                             # after each change
    toolc explain                           # what the codes of errors mean
"""

FILES = {"greenhouse.toolc": SPEC, "data/beds.csv": DATA, "README.md": README}
"""The project, by path."""
