"""What the sample shop sells: to add a category, write its drawing and one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from goods.sample.drawings import bags, dresses, legs, outerwear, sandals, shoes, tops
from goods.sample.drawings.shapes import Cut, Drawing
from goods.sample.palette import COLOURS

ALL_PATTERNS = ("striped", "checked", "dotted", "floral", "zigzag")


@dataclass(frozen=True, slots=True)
class Kind:
    """One category of the assortment.

    Attributes:
        draw: Its drawing.
        styles: What it comes in, and how shops call each.
        materials: What it is made of, and the finish (`look.FINISHES`) of each.
        price: Usual lowest and highest price in a middling material.
        genders: Whom it is sold to.
        patterns: What it may show besides plain.
        sleeves: The sleeves it comes with; empty where it has none.
        colours: The colours it comes in.
        is_upright: Whether a stripe on it may only run down.
        has_side: Whether it is seen from the side, so that it may face either way.
    """

    draw: Callable[[Cut], Drawing]
    styles: Mapping[str, tuple[str, ...]]
    materials: Mapping[str, str]
    price: tuple[float, float]
    genders: tuple[str, ...] = ("women", "men", "unisex")
    patterns: tuple[str, ...] = ()
    sleeves: tuple[str, ...] = ()
    colours: tuple[str, ...] = tuple(COLOURS)
    is_upright: bool = False
    has_side: bool = False


KINDS: dict[str, Kind] = {
    "t-shirt": Kind(
        tops.t_shirt,
        styles={
            "crew neck": ("T-Shirt", "Crew-Neck Tee"),
            "v-neck": ("V-Neck T-Shirt", "V-Neck Tee"),
            "scoop neck": ("Scoop-Neck T-Shirt", "Scoop-Neck Tee"),
        },
        materials={"cotton": "matte", "organic cotton": "matte", "linen": "crisp"},
        price=(12, 35),
        patterns=("graphic", "graphic", "striped", "striped", "dotted", "floral"),
        sleeves=("short", "short", "short", "sleeveless", "long"),
    ),
    "shirt": Kind(
        tops.shirt,
        styles={
            "button-down": ("Shirt", "Button-Down Shirt"),
            "band collar": ("Band-Collar Shirt",),
        },
        materials={"cotton": "matte", "linen": "crisp", "flannel": "matte", "silk": "satin"},
        price=(30, 75),
        patterns=("striped", "striped", "checked", "checked", "floral", "dotted"),
        sleeves=("long", "short"),
    ),
    "sweater": Kind(
        tops.sweater,
        styles={
            "crew neck": ("Sweater", "Jumper", "Crew-Neck Sweater"),
            "v-neck": ("V-Neck Sweater", "V-Neck Jumper"),
            "turtleneck": ("Turtleneck Sweater", "Roll-Neck Jumper"),
        },
        materials={"wool": "knit", "merino wool": "knit", "cashmere": "knit", "cotton": "knit"},
        price=(40, 90),
        patterns=("striped", "zigzag", "zigzag", "checked", "dotted"),
        sleeves=("long",),
    ),
    "hoodie": Kind(
        tops.hoodie,
        styles={"pullover": ("Hoodie", "Hooded Sweatshirt"), "zip-up": ("Zip-Up Hoodie",)},
        materials={"cotton": "matte", "organic cotton": "matte", "fleece": "matte"},
        price=(35, 80),
        patterns=("graphic", "graphic", "striped", "zigzag"),
        sleeves=("long",),
    ),
    "jacket": Kind(
        outerwear.jacket,
        styles={
            "bomber": ("Bomber Jacket",),
            "puffer": ("Puffer Jacket", "Quilted Jacket"),
            "trucker": ("Trucker Jacket",),
        },
        materials={"polyester": "matte", "nylon": "satin", "cotton": "matte", "wool": "matte"},
        price=(60, 150),
        patterns=("checked", "floral"),
        sleeves=("long",),
    ),
    "blazer": Kind(
        outerwear.blazer,
        styles={
            "single-breasted": ("Blazer", "Tailored Blazer"),
            "double-breasted": ("Double-Breasted Blazer",),
        },
        materials={"wool": "matte", "linen": "crisp", "cotton": "matte", "velvet": "satin"},
        price=(80, 190),
        patterns=("striped", "checked", "checked"),
        sleeves=("long",),
        is_upright=True,
    ),
    "dress": Kind(
        dresses.dress,
        styles={"mini": ("Mini Dress",), "midi": ("Midi Dress", "Dress"), "maxi": ("Maxi Dress",)},
        materials={"cotton": "matte", "viscose": "matte", "linen": "crisp", "silk": "satin"},
        price=(45, 120),
        genders=("women",),
        patterns=("floral", "floral", "dotted", "dotted", "striped", "checked", "zigzag"),
        sleeves=("short", "long", "sleeveless"),
    ),
    "skirt": Kind(
        dresses.skirt,
        styles={
            "pencil": ("Pencil Skirt",),
            "a-line": ("A-Line Skirt", "Skirt"),
            "pleated": ("Pleated Skirt",),
        },
        materials={"cotton": "matte", "viscose": "matte", "satin": "satin", "wool": "matte"},
        price=(30, 80),
        genders=("women",),
        patterns=ALL_PATTERNS,
    ),
    "jeans": Kind(
        legs.jeans,
        styles={
            "skinny": ("Skinny Jeans",),
            "straight": ("Straight-Leg Jeans", "Jeans"),
            "flared": ("Flared Jeans", "Bootcut Jeans"),
        },
        materials={"denim": "twill", "stretch denim": "twill"},
        price=(40, 110),
        genders=("women", "men"),
        colours=("blue", "navy", "black", "grey", "white"),
    ),
    "trousers": Kind(
        legs.trousers,
        styles={
            "tapered": ("Tapered Trousers", "Chinos"),
            "straight": ("Trousers", "Straight-Leg Trousers"),
            "wide-leg": ("Wide-Leg Trousers", "Palazzo Pants"),
        },
        materials={"cotton": "matte", "linen": "crisp", "wool": "matte", "viscose": "matte"},
        price=(35, 95),
        genders=("women", "men"),
        patterns=("striped", "checked", "checked", "floral"),
        is_upright=True,
    ),
    "shorts": Kind(
        legs.shorts,
        styles={"chino": ("Shorts", "Chino Shorts"), "drawstring": ("Drawstring Shorts",)},
        materials={"cotton": "matte", "linen": "crisp", "polyester": "matte"},
        price=(20, 50),
        patterns=("striped", "checked", "floral", "dotted"),
    ),
    "sneakers": Kind(
        shoes.sneakers,
        styles={
            "low-top": ("Sneakers", "Trainers", "Low-Top Sneakers"),
            "high-top": ("High-Top Sneakers", "High-Tops"),
        },
        materials={"leather": "leather", "canvas": "crisp", "suede": "matte", "mesh": "matte"},
        price=(45, 110),
        patterns=("checked", "floral", "dotted"),
        has_side=True,
    ),
    "boots": Kind(
        shoes.boots,
        styles={
            "chelsea": ("Chelsea Boots", "Ankle Boots"),
            "lace-up": ("Lace-Up Boots", "Work Boots"),
            "knee-high": ("Knee-High Boots",),
        },
        materials={"leather": "leather", "suede": "matte", "rubber": "leather"},
        price=(70, 160),
        has_side=True,
    ),
    "heels": Kind(
        sandals.heels,
        styles={
            "stiletto": ("Stiletto Heels", "High Heels", "Pumps"),
            "block": ("Block-Heel Pumps", "Block Heels"),
            "ankle-strap": ("Ankle-Strap Heels",),
        },
        materials={"leather": "leather", "suede": "matte", "satin": "satin"},
        price=(50, 130),
        genders=("women",),
        patterns=("dotted", "floral"),
        has_side=True,
    ),
    "sandals": Kind(
        sandals.sandals,
        styles={
            "slide": ("Slides", "Slide Sandals"),
            "strappy": ("Strappy Sandals", "Sandals"),
            "wedge": ("Wedge Sandals",),
            "flip-flop": ("Flip-Flops",),
        },
        materials={"leather": "leather", "suede": "matte", "rubber": "matte"},
        price=(18, 70),
        has_side=True,
    ),
    "handbag": Kind(
        bags.handbag,
        styles={
            "tote": ("Tote Bag", "Shopper"),
            "satchel": ("Satchel", "Top-Handle Bag"),
            "half-moon": ("Shoulder Bag", "Half-Moon Bag"),
        },
        materials={"leather": "leather", "canvas": "crisp", "suede": "matte", "raffia": "crisp"},
        price=(40, 140),
        genders=("women", "unisex"),
        patterns=ALL_PATTERNS,
    ),
    "backpack": Kind(
        bags.backpack,
        styles={"zipped": ("Backpack", "Daypack"), "rucksack": ("Rucksack", "Flap Backpack")},
        materials={"canvas": "crisp", "nylon": "matte", "polyester": "matte", "leather": "leather"},
        price=(35, 110),
        genders=("unisex",),
        patterns=("checked", "floral", "dotted", "striped"),
    ),
    "cap": Kind(
        bags.cap,
        styles={"baseball": ("Cap", "Baseball Cap", "Six-Panel Cap")},
        materials={"cotton": "matte", "canvas": "crisp", "wool": "matte"},
        price=(12, 35),
        genders=("unisex", "men", "women"),
        patterns=("checked", "floral"),
        has_side=True,
    ),
    "beanie": Kind(
        bags.beanie,
        styles={"pompom": ("Pompom Beanie", "Bobble Hat"), "cuffed": ("Beanie", "Cuffed Beanie")},
        materials={"wool": "knit", "merino wool": "knit", "cotton": "knit", "cashmere": "knit"},
        price=(14, 35),
        genders=("unisex",),
        patterns=("striped", "striped", "zigzag", "dotted"),
    ),
}
