"""Small tables that tests generate from."""

from __future__ import annotations

from pathlib import Path
from random import Random

CITIES = ("Aston", "Birchley", "Corby", "Dunmore", "Eastwell", "Fairview")
KINDS = ("bread", "cake", "pastry")


def bakery(folder: Path) -> Path:
    """Shops, products and sales of a bakery, as CSV: keys, references, dates, a missing cell."""
    random = Random(5)
    folder.mkdir(parents=True, exist_ok=True)
    shops = ["shop_id,name,city,seats,opened"]
    for number in range(1, 13):
        city = CITIES[number % 6]
        seats = "" if number == 7 else str(4 + 3 * number)
        opened = f"20{10 + number}-03-1{number % 10}"
        shops.append(f"S{number:02},{city} {number},{city},{seats},{opened}")
    products = ["code,name,kind,price_eur,grams"]
    for number in range(1, 16):
        kind, grams = KINDS[number % 3], random.randint(50, 900)
        products.append(f"P{number:03},Loaf {number},{kind},{1.2 * number:.2f},{grams}")
    sales = ["sale_id,shop,product,quantity,sold_on"]
    for number in range(1, 61):
        shop, product = random.randint(1, 12), random.randint(1, 15)
        sold = f"2024-0{random.randint(1, 9)}-1{number % 10}"
        quantity = random.randint(1, 90)
        sales.append(f"A{number:04},S{shop:02},P{product:03},{quantity},{sold}")
    for name, lines in (("shops", shops), ("products", products), ("sales", sales)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder
