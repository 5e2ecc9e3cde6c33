"""Everyday words: what a model of pictures and texts knows before it has seen a shop.

Patterns, materials, colours, styles, occasions, people, clothes, animals, plants, food, vehicles,
rooms, things and kinds of pictures: what shoppers type that no column of a catalog says.
"""

_WORDS = """
striped checked plaid dotted floral printed plain patterned embroidered lace camouflage
glitter cotton linen wool silk denim leather fur velvet rubber plastic metal gold silver wood
glass paper red orange yellow green blue purple pink brown black white grey beige colourful
dark bright pale casual formal elegant sporty vintage modern luxurious cheap cute funny
romantic simple traditional summer winter spring autumn rain snow beach party wedding office
school travel gym night christmas man woman boy girl baby child grandmother crowd face hand
foot leg hair smile eyes tattoo shirt trousers jeans skirt dress coat jacket sweater suit
underwear socks shoes boots sandals hat scarf gloves belt tie bag backpack wallet watch ring
necklace sunglasses umbrella perfume lipstick long short wide tight loose round square small
large thin thick folded hanging torn dirty new dog cat horse bird fish cow sheep bear lion
rabbit snake butterfly insect tree flower grass leaf forest mountain river sea sky cloud sun
moon desert stone fire bread cake apple banana meat rice vegetables coffee wine bottle cup
plate spoon knife car bus bicycle motorcycle train aeroplane boat road bridge house window
door wall floor garden table chair bed sofa lamp mirror curtain carpet towel pillow box basket
clock book picture phone computer camera television guitar piano ball toy tool text number
logo letter flag map photograph drawing painting shadow background close-up indoors outdoors
street shop kitchen stadium
"""

EVERYDAY = tuple(_WORDS.split())
"""Single words in lower case, each once."""
