"""Colour words: CSS's names, and the Spanish and French for the common ones."""

CSS = {
    name: "#" + value
    for name, value in (
        pair.split()
        for pair in """
aqua 00ffff, aquamarine 7fffd4, azure f0ffff, beige e9dcc6, black 000000, blue 1f5fe0, brown 8b5a3c, burgundy 800020,
burlywood deb887, cadetblue 5f9ea0, champagne f7e7ce, charcoal 36454f, chocolate 9c5a2c, copper b87333, coral ff7f50,
cornflowerblue 6495ed, cream fff6dc, crimson dc143c, cyan 00d0e0, darkblue 12246b, darkgray 6f7378, darkgreen 14502a,
darkred 8b1014, deeppink ff1493, deepskyblue 00bfff, dodgerblue 1e90ff, dustyrose dcaeae, ebony 2c2622, emerald 179b62,
firebrick b22222, forestgreen 228b22, fuchsia f02fd0, gold d9ae4a, goldenrod daa520, gray 8e9196, green 2f9e4f,
grey 8e9196, honeydew f0fff0, hotpink ff69b4, indigo 4b1fa0, ivory fffff0, jade 2fa878, khaki d8cc8c, lavender c9bdf0,
lightblue add8e6, lightcoral f08080, lightgray d8dadd, lightgreen a8e6a8, lightgrey d8dadd, lightpink ffc2cc,
lightyellow fff6b0, lilac c8a2c8, lime a6e22e, limegreen 32cd32, magenta e0249b, maroon 7b1e2b, mauve c9a0c4,
midnightblue 191970, mint a8e6cf, mintcream f5fffa, mistyrose ffe4e1, moccasin ffe4b5, mustard d9a520, navy 14234f,
navyblue 14234f, ochre cc7722, olive 808037, olivedrab 6b8e23, orange f58220, orangered ff4500, orchid da70d6,
palegreen 98fb98, peach ffcba4, peachpuff ffdab9, periwinkle a3a8f0, pink f58fb0, plum 9b4f96, powderblue b0e0e6,
purple 7a3fb0, red d62828, rosegold d9a08f, rose ee7f9c, rosybrown bc8f8f, royalblue 4169e1, ruby b0123b, rust b0481f,
saddlebrown 8b4513, sage a9b99a, salmon fa8072, sandybrown f4a460, sapphire 0f52ba, scarlet e0301e,
seagreen 2e8b57, sepia 8a6a48, sienna a0522d, silver c3c7cc, skyblue 87ceeb, slateblue 6a5acd, slategray 708090,
springgreen 00d97e, steelblue 4682b4, tan d2b48c, taupe a89a8c, teal 128080, terracotta cc6b49, thistle d8bfd8,
tomato ff6347, turquoise 40c9c0, ultramarine 2a3bb8, violet 9a5fe0, wheat f5deb3, white ffffff, whitesmoke f5f5f5,
wine 722f37, yellow f5cf2b, yellowgreen 9acd32
""".replace("\n", " ").split(",")
    )
}

ELSEWHERE = {
    "white": "blanco, blanca, blanc, blanche",
    "black": "negro, negra, noir, noire",
    "red": "rojo, roja, rouge",
    "blue": "azul, bleu, bleue",
    "green": "verde, vert, verte",
    "yellow": "amarillo, amarilla, jaune",
    "orange": "naranja, anaranjado",
    "pink": "rosa, rosado",
    "purple": "morado, morada, purpura, pourpre",
    "violet": "violeta, violette",
    "brown": "marron, cafe, brun, brune",
    "gray": "gris, grise",
    "gold": "dorado, dorada, oro, dore, golden",
    "silver": "plateado, plata, argent, argente, silvery",
    "turquoise": "turquesa",
    "beige": "crudo, ecru",
    "cream": "crema, creme",
    "navy": "azul marino, bleu marine, marine",
    "skyblue": "celeste, azul cielo, bleu ciel",
    "burgundy": "granate, burdeos, bordeaux",
    "mint": "menta, menthe",
    "peach": "melocoton, durazno, peche",
    "coral": "corail",
    "olive": "oliva",
    "mustard": "mostaza, moutarde",
    "lilac": "lila, lilas",
    "teal": "verde azulado, petrole",
    "emerald": "esmeralda, emeraude",
    "terracotta": "terracota, terre cuite",
    "salmon": "saumon",
    "sage": "salvia, sauge",
}

LIGHTER = "light, pale, soft, baby, pastel, claro, clara, palido, clair, claire"
DARKER = "dark, deep, oscuro, oscura, profundo, fonce, foncee, profond, sombre"
