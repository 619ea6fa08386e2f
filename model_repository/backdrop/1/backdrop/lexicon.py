"""The words that are understood, in English, Spanish and French. Written without accents, as prompts are read.

Each table goes from what is meant to the words for it, separated by commas; a word may be a phrase. Plurals in -s and
-es are found by themselves.
"""

SCENES = {
    "studio": "studio, sweep, infinity cove, cyclorama, seamless, photo studio, backdrop, plain, product photo, "
    "estudio, fondo infinito, liso, fond uni, uni, fond studio",
    "spotlight": "spotlight, spot light, stage, vignette, foco, escenario, projecteur, scene eclairee",
    "podium": "podium, pedestal, plinth, platform, display stand, podio, plataforma, piedestal, socle, estrade",
    "room": "room, wall, floor, interior, living room, bedroom, kitchen, office, loft, gallery, museum, house, home, "
    "shop, store, indoors, indoor, salon, habitacion, pared, muro, suelo, piso, cocina, oficina, casa, tienda, "
    "chambre, mur, cuisine, bureau, maison, boutique",
    "window": "window light, window, window shadow, leaf shadow, palm shadow, plant shadow, shadow, blinds, sunbeam, "
    "luz de ventana, ventana, sombra, sombra de hojas, persiana, fenetre, ombre, ombre de feuilles, store venitien",
    "table": "table, tabletop, desk, counter, countertop, shelf, bench, mesa, escritorio, encimera, estante, repisa, "
    "table en bois, comptoir, plan de travail, etagere",
    "sky": "sky, heaven, cielo, ciel",
    "sea": "sea, ocean, water, horizon, lake, seascape, lagoon, mar, oceano, agua, horizonte, lago, olas, "
    "ola, mer, eau, lac, vague",
    "beach": "beach, sand, seashore, shore, coast, tropical, seaside, island, playa, arena, costa, orilla, isla, "
    "plage, sable, cote, rivage, ile",
    "sunset": "sunset, sundown, sunrise, atardecer, puesta de sol, ocaso, amanecer, coucher de soleil, "
    "coucher du soleil, lever de soleil, lever du soleil",
    "hills": "hills, hill, countryside, valley, landscape, nature, tuscany, field, colina, campo, valle, paisaje, "
    "naturaleza, colline, campagne, vallee, paysage, champ",
    "mountains": "mountains, mountain, alps, peaks, peak, summit, montana, sierra, cumbre, pico, montagne, alpes, "
    "sommet",
    "forest": "forest, woods, tree, woodland, jungle, park, garden, leaf, leaves, foliage, greenery, bosque, arbol, "
    "arboles, selva, parque, jardin, hojas, foret, arbre, bois sauvage, parc, feuillage, feuilles",
    "meadow": "meadow, grass, lawn, poppies, spring, wildflowers, pradera, cesped, hierba, primavera, prairie, "
    "herbe, pelouse, printemps",
    "desert": "desert, dunes, dune, sahara, desierto, duna",
    "snow": "snowfall, snowscape, ice, ski, blizzard, nevada, hielo, glace, paysage enneige",
    "city": "city, city lights, street, urban, skyline, downtown, traffic, new york, tokyo, paris, london, "
    "skyscrapers, cityscape, ciudad, calle, urbano, luces de la ciudad, rascacielos, ville, rue, urbain, "
    "lumieres de la ville, gratte ciel",
    "stars": "stars, starry, starry sky, space, galaxy, milky way, universe, cosmos, nebula, estrellas, estrellado, "
    "espacio, galaxia, via lactea, universo, etoile, etoiles, espace, galaxie, voie lactee, univers",
    "bokeh": "bokeh, lights, fairy lights, christmas, party, sparkle, glitter, celebration, festive, luces, navidad, "
    "fiesta, brillo, lumieres, noel, fete, paillettes",
    "mesh": "abstract, gradient, mesh, gradient mesh, aurora, colorful, colourful, fluid, liquid, blurred colors, "
    "holographic, iridescent, abstracto, degradado, colorido, fluido, abstrait, degrade, colore, fluide",
    "waves3d": "silk waves, curves, wavy, layers, paper cut, paper waves, ondas, curvas, ondulado, courbes, ondule",
}

MATERIALS = {
    "marble": "marble, marbled, stone slab, granite, quartz, terrazzo, marmol, granito, cuarzo, marbre, granit",
    "wood": "wood, wooden, oak, walnut, pine, timber, plank, planks, parquet, madera, roble, nogal, pino, tabla, "
    "bois, chene, noyer, pin, planche",
    "paper": "paper, cardboard, kraft, watercolor paper, parchment, papel, carton, pergamino, papier, parchemin",
    "fabric": "fabric, cloth, linen, silk, satin, velvet, cotton, textile, curtain, drapery, canvas, tela, lino, "
    "seda, terciopelo, algodon, cortina, tissu, lin, soie, velours, coton, rideau, toile",
    "concrete": "concrete, cement, plaster, stucco, stone, slate, hormigon, concreto, cemento, yeso, piedra, "
    "pizarra, beton, ciment, platre, pierre, ardoise",
    "brick": "brick, bricks, brickwork, ladrillo, brique",
}

TIMES = {
    "dawn": "dawn, sunrise, daybreak, early morning, amanecer, alba, aurora matinal, aube, lever de soleil, "
    "lever du soleil",
    "day": "day, noon, midday, daylight, daytime, sunny, morning, afternoon, dia, mediodia, soleado, manana, tarde, "
    "jour, midi, ensoleille, matin, apres midi",
    "golden": "golden hour, sunset, golden light, sundown, evening, hora dorada, atardecer, puesta de sol, ocaso, "
    "heure doree, coucher de soleil, coucher du soleil, soir, soiree",
    "dusk": "dusk, twilight, blue hour, nightfall, anochecer, crepusculo, hora azul, crepuscule, heure bleue",
    "night": "night, midnight, nighttime, moonlight, moonlit, noche, medianoche, nuit, minuit, clair de lune",
}

MOODS = {
    "warm": "warm, cozy, cosy, calido, calida, acogedor, chaud, chaude, chaleureux",
    "cold": "cold, cool, icy, chilly, frio, fria, fresco, froid, froide, frais",
    "dark": "dark, low key, black background, oscuro, oscura, sombre, fonce",
    "bright": "bright, airy, high key, light, clear, luminous, brillante, luminoso, claro, clara, lumineux, clair, "
    "claire",
    "soft": "soft, gentle, calm, dreamy, delicate, peaceful, suave, tranquilo, doux, douce, calme",
    "dramatic": "dramatic, epic, intense, contrast, stormy, storm, dramatico, intenso, tormenta, dramatique, orage",
    "minimal": "minimal, minimalist, clean, simple, plain, minimalista, limpio, sencillo, minimaliste, epure",
    "pastel": "pastel, candy, pale, palido",
    "moody": "moody, gloomy, melancholic, sombrio, melancolico, maussade, melancolique",
    "foggy": "foggy, fog, mist, misty, haze, hazy, smoke, niebla, neblina, bruma, humo, brouillard, brume, brumeux, "
    "fumee",
    "vivid": "vivid, vibrant, saturated, neon, bold, vivo, vibrante, saturado, vif, vive, sature",
    "muted": "muted, desaturated, faded, vintage, earthy, apagado, desvaido, antiguo, terne, ancien",
    "elegant": "elegant, luxury, luxurious, premium, classy, elegante, lujo, lujoso, luxe, luxueux",
}

FEATURES = {
    "clouds": "cloud, cloudy, overcast, nube, nublado, nuage, nuageux",
    "stars": "stars, starry, milky way, estrellas, estrellado, etoiles, etoile",
    "moon": "moon, full moon, moonlight, luna, lune, clair de lune",
    "sun": "sun, sol, sunny, sunshine, sunlight, sunlit, sol brillante, soleil, ensoleille",
    "snow": "snow, snowy, winter, nieve, nevado, invierno, neige, enneige, hiver",
    "autumn": "autumn, fall, autumnal, october, otono, automne",
    "leaves": "leaf, leaves, palm, plant, plants, hojas, palmera, plantas, feuille, feuilles, palmier, plante",
    "blinds": "blinds, persiana, store venitien",
    "hills": "hills, hill, mountains, mountain, colina, montana, colline, montagne",
    "silk": "silk, satin, seda, soie",
    "velvet": "velvet, terciopelo, velours",
    "linen": "linen, canvas, cotton, cloth, lino, tela, algodon, lin, toile, coton",
    "walnut": "walnut, dark wood, nogal, noyer",
    "pine": "pine, light wood, birch, pino, abedul, pin, bouleau",
    "kraft": "kraft, cardboard, carton",
    "herringbone": "herringbone, parquet, espiga, chevron",
    "flowers": "flowers, flower, floral, poppies, wildflowers, flores, flor, fleurs, fleur",
    "lavender": "lavender, lavender field, lavanda, lavande",
    "lights": "lights, luces, lumieres, bokeh",
    "waves": "waves, wave, olas, ola, vagues, vague",
    "sky": "sky, cielo, ciel",
    "water": "sea, ocean, water, lake, lagoon, mar, oceano, agua, lago, mer, eau, lac",
    "sand": "sand, beach, arena, playa, sable, plage",
    "grass": "grass, lawn, cesped, hierba, herbe, pelouse",
    "table": "table, tabletop, desk, counter, countertop, shelf, mesa, encimera, comptoir",
    "floor": "floor, suelo, piso, sol, plancher",
    "wall": "wall, pared, muro, mur",
}

NEGATIONS = "no, not, without, non, sin, sans, pas, pas de, ni, kein, free of"
"""What follows one of these, up to the next comma or connecting word, is not wanted."""
DIVIDING = "and, with, y, con, et, avec"
"""Colours and materials belong to what they share a part of the prompt with: "white wall and oak floor"."""
CONNECTING = "and, with, but, or, on, in, at, y, con, pero, o, en, et, avec, mais, ou, sur, dans"
