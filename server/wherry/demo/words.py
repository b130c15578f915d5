"""The words that the demonstration's library is put together from. All films, people and places are invented."""

PLACES = (
    "Ostermark", "Carrowell", "Lisbrook", "Tamsveil", "Morwick", "Port Aldous", "Hennig Bay", "Sanderling", "Korvala",
    "Três Moinhos", "Brisalta", "Kesterfjord", "Dunmarrow", "Vellmouth", "Saint Odric", "Łąkowice", "Upper Tolling",
    "Marisande", "Øvreholm", "Castelnero", "Quillay", "Wolfenau", "Ardnashee", "Storchenau",
)  # fmt: skip

STUDIOS = (
    ("Lantern Street Pictures", "United Kingdom", 1926), ("Nordlys Film", "Norway", 1931),
    ("Casa do Moinho", "Portugal", 1948), ("Studio Zielona", "Poland", 1952),
    ("Kormoran-Filmgesellschaft", "Germany", 1929), ("Halcyon & Daughters", "Ireland", 1967),
    ("Atelier Vauquelin", "France", 1936), ("Blue Heron Productions", "Canada", 1974),
    ("Estudios Brisalta", "Argentina", 1945), ("Tall Grass Cinema", "United States", 1988),
    ("Kurage Works", "Japan", 1959), ("Third Platform", "New Zealand", 2003),
)  # fmt: skip

GENRES = (
    "Adventure", "Animation", "Comedy", "Crime", "Drama", "Family", "Fantasy", "History", "Musical", "Mystery",
    "Romance", "Science fiction", "Thriller", "War",
)  # fmt: skip

FIRST_NAMES = (
    "Ada", "Agnieszka", "Alasdair", "Amara", "Anselm", "Ásta", "Beatriz", "Benedikt", "Bronagh", "Casimir", "Cécile",
    "Clementine", "Constança", "Dagny", "Dorian", "Edmund", "Eilidh", "Elias", "Esther", "Fergus", "Fiametta", "Gustav",
    "Hana", "Harriet", "Hiroko", "Ines", "Isidor", "Jarmila", "Joaquim", "Judith", "Kasper", "Kenji", "Leonie",
    "Lorcan", "Łucja", "Magnus", "Marguerite", "Mateo", "Mirela", "Nadine", "Niamh", "Octavia", "Oskar", "Paloma",
    "Quentin", "Rosalind", "Ruben", "Sabine", "Saoirse", "Tadeusz", "Théo", "Ursula", "Valentin", "Wilhelmina", "Yusuf",
    "Zoë",
)  # fmt: skip

LAST_NAMES = (
    "Aldermoor", "Amberley-Voss", "Barrowclough", "Bielska-Orm", "Brankovar", "Castellane", "Corrigal", "Dąbrot",
    "Drummacre", "Eskelund", "Fairweathers", "Fennimore", "Ferreirinho", "Garrodale", "Grünhagen", "Halvorsk",
    "Hartwisle", "Ichimoto", "Ilvonen", "Jessamy", "Kallasto", "Kilbrannan", "Kowalewicz-Hart", "Lamberton-Roy",
    "Lindqvarn", "Lovelund", "Marchetto", "McAndlish", "Montavez", "Nakashige", "Nordahlen", "Ødemark", "O'Sheeran",
    "Oyelade", "Pembrithe", "Pettifar", "Quintanar", "Rasmunder", "Reinholt", "Rivaldez", "Roscarrow", "Sablon",
    "Schönauer", "Silvestrin", "Skovby", "Solheim-Ray", "Tarkowicz", "Thistlewood", "Treverran", "Uhlenbrock",
    "Valdemarsen", "Vauquelin", "Wetherlam", "Winterbourne", "Yamagishi", "Zabrova",
)  # fmt: skip

TRADES = (
    "actor in a travelling theatre", "apprentice typesetter", "baker", "bookbinder", "cabaret pianist",
    "clerk of works", "dance teacher", "electrician", "fairground photographer", "gardener", "language teacher",
    "librarian", "lighthouse keeper's assistant", "nurse", "physicist", "puppeteer", "radio announcer", "railway guard",
    "sailor", "sign painter",
)  # fmt: skip

TITLES = (
    "The Tin Orchard", "A Paper Regatta", "The Borrowed Piano", "Seven Umbrellas", "The Cartographer's Wedding",
    "Salt for the Organist", "Nobody Winds the Clock", "The Understudy's Coat", "Letters to a Dry Dock",
    "The Beekeeper Votes", "Half a Lighthouse", "Tea with the Surveyor", "The Glassblower's Alibi",
    "The Second Violin Is Missing", "A Ladder for Agnes", "The Weather Committee", "Postcards from the Basement",
    "The Ferryman's Arithmetic", "Blue Ink, Black Ice", "The Museum of Small Repairs", "Four Doors Down from Winter",
    "An Inventory of Rain", "The Mapmaker Sleeps Late", "Goats on the Runway", "The Quietest Brass Band",
    "The Locksmith's Holiday", "Ninety Metres of Rope", "The Pharmacist's Parrot", "Marzipan Winter",
    "A Bicycle for the Bishop", "Long Division by Candlelight", "The Typist and the Tide", "Somebody Else's Harvest",
    "The Velvet Timetable", "Signal Box Nine", "The Sleeping Accountant", "Cardboard Kingdoms", "A Question of Turnips",
    "The Diver's Daughter Sings", "Copper and Snow", "The Inspector Is Allergic", "Eleven Empty Chairs",
    "The Comet Watchers' Picnic", "Moth Season at the Opera", "The Archivist's Elopement", "Thirty Kilos of Saffron",
    "The Wrong Aquarium", "Kites over the Quarry", "The Elevator Orchestra", "A Census of Swallows",
    "The Baker Who Counted Trains", "Everything but the Harp", "The Tidewater Choir", "Last Bus to the Observatory",
    "The Puppeteer's Tax Return", "Lanterns for the Dam", "A Fox in the Printing House", "The Upstairs Ocean",
    "One Hundred Spoons", "The Stationmaster's Meteor", "The Cellist at Gate Five", "Winter Wheat, Summer Debt",
    "The Orchard Strike", "A Room above the Ropeworks", "Ink for the Governor", "The Harbour Learns to Waltz",
    "Two Tickets to the Glacier", "The Snow Globe Trial",
)  # fmt: skip

TITLES_OF_PLACES = (
    "The Clockmaker of {}", "A Winter in {}", "No Ferry to {}", "Letters from {}", "The {} Affair", "Three Days in {}",
    "The Train Leaves {}", "Everyone in {} Knows", "The Bells of {}", "The Road out of {}", "Midsummer, {}",
    "The Widow of {}",
)  # fmt: skip

#: What a sequel is called, and the years after which it comes.
TITLES_OF_SEQUELS = (
    ("Return to {}", 4),
    ("{}, Ten Years On", 10),
    ("Another Winter in {}", 2),
    ("The Ghosts of {}", 7),
)

HEROES = (
    "A retired clockmaker", "A young surveyor", "The only doctor", "A disgraced conductor", "An insomniac baker",
    "A travelling piano tuner", "The new postmistress", "A shipwright's daughter", "A schoolteacher with no pupils",
    "An unlucky insurance agent", "A night-shift telephonist", "A widowed beekeeper", "A runaway apprentice",
    "A retired tightrope walker", "A provincial judge", "A travelling cinema owner", "The youngest lighthouse keeper",
    "A forger who has given it up", "A restorer of old maps", "An amateur astronomer",
)  # fmt: skip

EVENTS = (
    "finds a suitcase of unsent letters", "inherits a ferry that has not sailed in twenty years",
    "is accused of stealing the town's only bell", "agrees to teach a choir that cannot sing",
    "discovers that the town is missing from every map", "takes in a stranger who remembers nothing but a waltz",
    "wins a disused railway station in a game of cards", "receives a telegram forty years late",
    "has one week to save the public library", "is asked to identify a man who is not dead",
    "hides a family of musicians in the attic", "falls out with a brother over an orchard",
    "follows a trail of blue paint across the frozen harbour", "promises to build a bridge before the spring floods",
    "hears a voice on the radio that nobody else can hear", "returns for a funeral and stays for the summer",
    "buys a painting and finds a second one beneath it", "is mistaken for the government inspector",
    "keeps a diary for a neighbour who cannot write", "wagers the family house on a balloon race",
    "starts a newspaper that prints only good news", "sets out to return a coat to its owner",
    "shelters the crew of a stranded airship", "learns that the lighthouse has been sending messages",
)  # fmt: skip

#: How a story of each genre goes on.
OUTCOMES = {
    "Adventure": (
        "The journey there takes a day; the journey back takes three countries and a borrowed circus.",
        "With a broken compass and a stubborn mule, the way over the pass becomes a race against the snow.",
        "What waits at the end of the river is not on the chart.",
    ),
    "Animation": (
        "Drawn in ink and watercolour, the town itself takes part in the story.",
        "Every shadow in the market square has an opinion of its own.",
        "Twelve thousand paper figures tell what the grown-ups have forgotten.",
    ),
    "Comedy": (
        "By the end of the week half the town is involved, and the other half is selling tickets.",
        "Every lie needs a bigger one, until the mayor himself has to play the trombone.",
        "Nobody means any harm, which makes everything much worse.",
    ),
    "Crime": (
        "The police are looking for one thief and find eleven.",
        "The plan is perfect, but nobody has told the dog.",
        "An old accomplice wants a share of something that was never stolen.",
    ),
    "Drama": (
        "Old debts come due, and not all of them are about money.",
        "While the harbour freezes over, three generations learn to sit at one table.",
        "There is a price for staying and a price for going, and both are paid in full.",
    ),
    "Family": (
        "It takes four children, a goose and a great deal of string to put things right.",
        "The grown-ups are no help at all until somebody asks them to play.",
        "Grandmother knows the answer, but she is saving it for the last day of the holidays.",
    ),
    "Fantasy": (
        "At the turn of the tide the drowned quarter rises again, with its lamps still lit.",
        "Each night one more house has moved a little closer to the sea.",
        "The bargain is simple: one year of spring for one remembered name.",
    ),
    "History": (
        "It is the last summer before the new border, and every family has to choose a side of the street.",
        "Far away a treaty is signed, and the consequences arrive by the evening train.",
        "What the chronicles tell in a line took a whole town ten years.",
    ),
    "Musical": (
        "The rehearsals are a disaster, the first night is a triumph, and the second is under water.",
        "A love song written for the wrong person becomes the sound of the summer.",
        "Even the tram conductors are dancing before the strike is over.",
    ),
    "Mystery": (
        "Seven people were in the house that night, and each of them remembers an eighth.",
        "The answer has been standing in the shop window all along.",
        "Whoever wrote the first letter has now written a second, dated tomorrow.",
    ),
    "Romance": (
        "They agree to meet on the bridge in a year, and only one of them forgets which bridge.",
        "It begins as a correspondence about drains and ends at the registry office.",
        "Two people who never agree about anything discover that they agree about this.",
    ),
    "Science fiction": (
        "The signal comes from a point forty light years away, and it is asking for directions.",
        "In a town where everyone may erase one day, somebody has erased the same one twice.",
        "The new machine in the cellar predicts the weather correctly, and then the elections.",
    ),
    "Thriller": (
        "Somebody is reading the post, and the last ferry leaves at nine.",
        "There are six hours until the dam opens, and the only key is on the wrong side of the lake.",
        "To prove who they are, they must first find out who is using their name.",
    ),
    "War": (
        "The front is a day's march away and comes nearer with every chapter of the diary.",
        "A truce of three days is long enough for a wedding and too short for a peace.",
        "The bridge has to hold until the last train has crossed it.",
    ),
}

CHARACTERS = (
    "Agathe", "The Ferryman", "Captain Orriel", "Tobias", "Mrs Winnow", "The Inspector", "Lena", "Old Matthis",
    "The Organist", "Ilka", "Father Brannock", "Professor Sallow", "The Stranger", "Pia", "Uncle Leopold", "The Mayor",
    "Nurse Hollis", "Anton the Younger", "The Telegraphist", "Grandmother Vesna", "Doctor Amsel", "Rufus",
    "Madame Corbeau", "The Landlady", "Sergeant Pike", "Mina", "The Piano Tuner", "Jonas", "The Widow Tarrant",
    "Signora Belli", "The Night Clerk", "Florian", "Aunt Cordelia", "Little Wim", "The Surveyor", "Elsbeth",
    "Judge Harrow", "The Baker", "Nikolai", "The Girl with the Kite",
)  # fmt: skip

LANGUAGES = {
    "United Kingdom": "en", "Norway": "no", "Portugal": "pt", "Poland": "pl", "Germany": "de", "Ireland": "ga",
    "France": "fr", "Canada": "fr", "Argentina": "es", "United States": "en", "Japan": "ja", "New Zealand": "mi",
}  # fmt: skip

AWARDS = (
    "Golden Oar", "Silver Lantern", "Prize of the Harbour Critics", "Audience Award of Marisande", "The Copper Reel",
    "Grand Prix of Korvala",
)  # fmt: skip

#: How a review begins, by its rating.
OPENINGS = {
    1: (
        "I wanted to like this and left after the second flood.", "Two hours of weather.", "Not for me at all.",
        "My neighbour slept through it and had the better evening.",
    ),
    2: (
        "A good idea that nobody finished.", "Handsome, slow and oddly hollow.", "There is a fine short film in here.",
        "It loses its way after the first half hour.",
    ),
    3: (
        "Uneven, but it has its moments.", "Pleasant enough for a rainy afternoon.", "Half of it is wonderful.",
        "Better than its reputation.", "A modest film that knows its limits.",
    ),
    4: (
        "A warm, sharp and generous film.", "I didn't expect to be this moved.", "It grows on you with every scene.",
        "Beautifully made from the first shot to the last.", "I have been thinking about it all week.",
    ),
    5: (
        "A small miracle.", "I have seen it three times and will go again.", "Everything in it is right.",
        "Go and see it on the largest screen that you can find.", "It's the film that I recommend to everybody.",
    ),
}  # fmt: skip

REMARKS = (
    "The photography of the harbour at dawn is worth the ticket.", "The music is played by people who mean it.",
    "The dialogue sounds as if it had been translated twice.", "Nobody has ever filmed snow like this.",
    "The lead says more with a cup of tea than others with a speech.", "The middle part could lose twenty minutes.",
    "The children are excellent and never sweet.", "You can smell the ropes, the tar and the coffee.",
    "The supporting cast carries it over the slow stretches.", "The last scene has divided our whole film club.",
    "The costumes look lived in for once.", "I could not follow who had stolen what from whom.",
    "It treats every character, even the dog, with respect.", "The editing has the patience of a good angler.",
)  # fmt: skip

CLOSINGS = (
    "Bring a coat.", "Recommended with a friend who likes to argue.", "Read nothing about it beforehand.",
    "The second viewing told me more than the first.", "I missed my tram and did not mind.",
    "See it for the opening alone.", "My grandmother said: “At last a film about work.”", "I would watch a sequel.",
    "The print that we saw was scratched, and it suited the story.",
)  # fmt: skip

LISTS = (
    "To watch in winter", "Films for the train", "With the children", "Rainy Sundays", "Seen twice",
    "Harbours and ferries", "For the film club", "Black and white", "Recommended by Hanne", "To argue about",
)  # fmt: skip

NOTES = (
    "Ask at the library for the restored print.", "Start with this one.", "Only with subtitles.", "For Friday.",
    "Lent to Mirela.", "The ending!", "Again, with the sound turned up.",
)  # fmt: skip
