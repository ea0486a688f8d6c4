//! What made-up names are made of. Facts of languages and countries, no organisation's name; variety comes from combining.

/// A country as names need it.
#[derive(Debug)]
pub(super) struct Land {
    pub code: &'static str,
    pub suffixes: &'static [&'static str],
    pub legal: &'static [&'static str],
    pub cities: &'static [&'static str],
    pub families: &'static [&'static str],
    pub tongue: Tongue,
}

/// In which words institutions call themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    English,
    German,
    French,
    Spanish,
    Italian,
    Portuguese,
    Dutch,
    Nordic,
    Slavic,
    Japanese,
    Chinese,
    Korean,
    Russian,
    Turkish,
}

macro_rules! lands {
    ($($code:literal $tongue:ident $suffixes:tt $legal:tt $cities:tt $families:tt)*) => {
        pub(super) static LANDS: &[Land] = &[$(Land {
            code: $code, tongue: Tongue::$tongue, suffixes: &$suffixes, legal: &$legal, cities: &$cities, families: &$families,
        },)*];
    };
}

lands! {
    "US" English ["com", "com", "com", "org", "net", "us", "edu"] ["Inc.", "Inc", "LLC", "Corp.", "Corporation", "Co.", "L.L.C.", "Company"]
        ["Boston", "Denver", "Phoenix", "Portland", "Austin", "Columbus", "Charlotte", "Nashville", "Memphis", "Omaha", "Tulsa", "Fresno", "Raleigh", "Tampa", "Albany", "Madison", "Salem", "Richmond", "Chicago", "Houston", "Seattle", "Springfield", "New York", "San Diego"]
        ["Smith", "Johnson", "Williams", "Davis", "Miller", "Anderson", "Harris", "Thompson", "Baker", "Nelson", "Carter", "Mitchell", "Roberts", "Phillips", "Parker", "Collins", "Stewart", "Morris", "Rogers", "Reed", "Cook", "Bailey", "Cooper", "Peterson"]
    "GB" English ["co.uk", "co.uk", "com", "org.uk", "uk", "ac.uk"] ["Ltd", "Limited", "PLC", "LLP", "Ltd."]
        ["London", "Leeds", "Bristol", "Sheffield", "Leicester", "Coventry", "Cardiff", "Glasgow", "Reading", "Derby", "Exeter", "York", "Norwich", "Oxford", "Cambridge", "Milton Keynes"]
        ["Taylor", "Brown", "Wilson", "Evans", "Wright", "Walker", "Hughes", "Green", "Hall", "Wood", "Clarke", "Hill", "Ward", "Turner", "Cooper", "Bennett", "Marshall", "Fletcher"]
    "IE" English ["ie", "com"] ["Ltd", "Limited", "DAC", "plc"] ["Dublin", "Cork", "Galway", "Limerick", "Waterford"] ["Murphy", "Kelly", "Byrne", "Ryan", "Walsh", "O'Connor", "O'Neill", "Doyle"]
    "AU" English ["com.au", "com.au", "com", "org.au", "edu.au"] ["Pty Ltd", "Pty. Ltd.", "Limited"] ["Sydney", "Melbourne", "Brisbane", "Perth", "Adelaide", "Hobart", "Geelong", "Newcastle"] ["Campbell", "Robinson", "Kelly", "Murray", "Fraser", "Graham", "Hamilton", "Lawson"]
    "CA" English ["ca", "ca", "com"] ["Inc.", "Ltd.", "Inc", "Corp."] ["Toronto", "Calgary", "Ottawa", "Halifax", "Winnipeg", "Vancouver", "Montréal", "Québec"] ["MacDonald", "Tremblay", "Gagnon", "Roy", "Campbell", "Leblanc", "Fraser", "Bouchard"]
    "IN" English ["in", "co.in", "com", "ac.in"] ["Pvt Ltd", "Private Limited", "Limited", "Pvt. Ltd."] ["Mumbai", "Pune", "Chennai", "Hyderabad", "Jaipur", "Lucknow", "Kochi", "Indore", "Surat", "New Delhi", "Bengaluru"] ["Sharma", "Verma", "Gupta", "Mehta", "Iyer", "Reddy", "Nair", "Desai", "Joshi", "Rao", "Patel", "Kapoor"]
    "ZA" English ["co.za", "com", "ac.za"] ["(Pty) Ltd"] ["Durban", "Pretoria", "Cape Town", "Johannesburg"] ["Botha", "Nkosi", "Naidoo", "Pretorius", "Dlamini", "Coetzee"]
    "SG" English ["com.sg", "sg", "com"] ["Pte Ltd", "Pte. Ltd."] ["Singapore"] ["Tan", "Lim", "Ng", "Goh", "Chua", "Koh"]
    "MY" English ["com.my", "my", "com"] ["Sdn Bhd", "Berhad"] ["Kuala Lumpur", "Penang", "Ipoh", "Shah Alam"] ["Abdullah", "Rahman", "Ismail", "Wong"]
    "DE" German ["de", "de", "de", "com", "eu"] ["GmbH", "AG", "GmbH & Co. KG", "UG (haftungsbeschränkt)", "e.V.", "KG"]
        ["Berlin", "Hamburg", "München", "Köln", "Stuttgart", "Düsseldorf", "Leipzig", "Nürnberg", "Bremen", "Dresden", "Hannover", "Münster", "Göttingen", "Würzburg", "Lübeck", "Aachen", "Tübingen", "Saarbrücken", "Paderborn", "Oldenburg"]
        ["Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schäfer", "Koch", "Bauer", "Richter", "Schröder", "Neumann", "Krüger", "Zimmermann", "Köhler", "Jäger", "Böhm", "Günther", "Vogel"]
    "AT" German ["at", "at", "com"] ["GmbH", "AG"] ["Wien", "Graz", "Linz", "Salzburg", "Innsbruck"] ["Gruber", "Huber", "Steiner", "Moser", "Pichler", "Hölzl"]
    "CH" German ["ch", "ch", "com"] ["AG", "GmbH", "SA", "Sàrl"] ["Zürich", "Basel", "Bern", "Genève", "Lausanne", "Luzern", "St. Gallen"] ["Meier", "Keller", "Brunner", "Baumann", "Favre", "Rochat", "Frei"]
    "FR" French ["fr", "fr", "com", "org"] ["SA", "SAS", "SARL", "S.A.S.", "S.A.R.L.", "EURL"] ["Paris", "Lyon", "Marseille", "Toulouse", "Nantes", "Bordeaux", "Lille", "Rennes", "Grenoble", "Orléans", "Besançon", "Nîmes", "Angers", "Dijon"] ["Martin", "Bernard", "Dubois", "Durand", "Lefèvre", "Moreau", "Girard", "Rousseau", "Fournier", "Mercier", "Chevalier", "Gauthier", "Lemaître", "Guérin"]
    "BE" French ["be", "be", "com"] ["NV", "BVBA", "BV", "SPRL", "SA"] ["Bruxelles", "Antwerpen", "Gent", "Liège", "Namur", "Leuven"] ["Peeters", "Janssens", "Maes", "Lambert", "Dupont", "Claes"]
    "ES" Spanish ["es", "es", "com", "org"] ["S.L.", "SA", "S.A.", "SLU"] ["Madrid", "Barcelona", "Valencia", "Sevilla", "Zaragoza", "Málaga", "Murcia", "Bilbao", "Córdoba", "Valladolid", "La Coruña", "Granada"] ["García", "Fernández", "González", "Rodríguez", "Sánchez", "Pérez", "Gómez", "Jiménez", "Ruiz", "Hernández", "Álvarez", "Muñoz"]
    "MX" Spanish ["com.mx", "mx", "com"] ["S.A. de C.V.", "SA de CV"] ["Monterrey", "Puebla", "Guadalajara", "Mérida", "León", "Tijuana"] ["Ramírez", "Flores", "Torres", "Vázquez", "Castillo", "Mendoza"]
    "AR" Spanish ["com.ar", "com", "org.ar"] ["S.A.", "S.R.L."] ["Buenos Aires", "Rosario", "Mendoza", "Córdoba"] ["Romero", "Acosta", "Benítez", "Medina"]
    "IT" Italian ["it", "it", "com"] ["S.p.A.", "S.r.l.", "SRL", "SpA"] ["Milano", "Torino", "Genova", "Bologna", "Firenze", "Padova", "Verona", "Trieste", "Brescia", "Forlì", "Roma"] ["Rossi", "Russo", "Ferrari", "Esposito", "Bianchi", "Colombo", "Ricci", "Marino", "Greco", "Conti", "Galli", "Fontana"]
    "PT" Portuguese ["pt", "pt", "com"] ["Lda", "S.A."] ["Lisboa", "Porto", "Braga", "Coimbra", "Évora", "Setúbal"] ["Silva", "Santos", "Ferreira", "Pereira", "Oliveira", "Costa", "Araújo"]
    "BR" Portuguese ["com.br", "com.br", "com", "org.br"] ["S.A.", "Ltda", "LTDA."] ["São Paulo", "Curitiba", "Recife", "Goiânia", "Belém", "Florianópolis", "Vitória"] ["Souza", "Almeida", "Nascimento", "Carvalho", "Ribeiro", "Gonçalves", "Barbosa"]
    "NL" Dutch ["nl", "nl", "com"] ["B.V.", "BV", "N.V."] ["Amsterdam", "Rotterdam", "Utrecht", "Eindhoven", "Tilburg", "Groningen", "Breda", "Nijmegen", "Den Haag"] ["de Jong", "Jansen", "de Vries", "van den Berg", "Bakker", "Visser", "Smit", "Mulder", "de Groot", "Bos", "Dekker"]
    "SE" Nordic ["se", "se", "com"] ["AB"] ["Stockholm", "Göteborg", "Malmö", "Uppsala", "Västerås", "Örebro", "Linköping"] ["Andersson", "Johansson", "Karlsson", "Nilsson", "Lindström", "Sjöberg"]
    "NO" Nordic ["no", "no", "com"] ["AS", "ASA"] ["Oslo", "Bergen", "Trondheim", "Tromsø"] ["Hansen", "Johansen", "Olsen", "Larsen", "Bjørnstad"]
    "DK" Nordic ["dk", "dk", "com"] ["A/S", "ApS"] ["København", "Aarhus", "Odense", "Aalborg", "Køge"] ["Nielsen", "Jensen", "Pedersen", "Sørensen", "Møller"]
    "FI" Nordic ["fi", "fi", "com"] ["Oy", "Oyj"] ["Helsinki", "Tampere", "Turku", "Jyväskylä"] ["Korhonen", "Virtanen", "Mäkinen", "Nieminen", "Hämäläinen"]
    "PL" Slavic ["pl", "pl", "com.pl", "com"] ["Sp. z o.o.", "S.A."] ["Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk"] ["Nowak", "Kowalski", "Wiśniewski", "Wójcik", "Kamiński", "Zieliński"]
    "CZ" Slavic ["cz", "cz", "com"] ["s.r.o.", "a.s."] ["Praha", "Brno", "Ostrava", "Plzeň"] ["Novák", "Svoboda", "Dvořák", "Černý", "Procházka"]
    "TR" Turkish ["com.tr", "com", "edu.tr"] ["A.Ş.", "Ltd. Şti."] ["İstanbul", "Ankara", "İzmir", "Bursa", "Eskişehir"] ["Yılmaz", "Kaya", "Demir", "Şahin", "Öztürk"]
    "ID" English ["co.id", "id", "com"] ["Tbk", "PT"] ["Jakarta", "Surabaya", "Bandung", "Medan"] ["Wijaya", "Santoso", "Hartono", "Susanto"]
    "IL" English ["co.il", "com"] ["Ltd.", "Ltd"] ["Haifa", "Tel Aviv", "Jerusalem"] ["Levi", "Mizrahi", "Peretz", "Katz"]
    "JP" Japanese ["co.jp", "co.jp", "jp", "com", "or.jp", "ac.jp"] ["株式会社", "Co., Ltd.", "K.K.", "Corporation", "Co., Ltd."] ["Tokyo", "Osaka", "Nagoya", "Sapporo", "Kobe", "Kyoto", "Sendai", "Niigata", "Okayama", "Kagoshima"] ["Sato", "Suzuki", "Takahashi", "Watanabe", "Ito", "Yamamoto", "Nakamura", "Kobayashi", "Kato", "Yoshida", "Sasaki"]
    "CN" Chinese ["com.cn", "cn", "com", "edu.cn"] ["有限公司", "Co., Ltd.", "Co.,Ltd", "Co., Ltd."] ["Beijing", "Shanghai", "Shenzhen", "Hangzhou", "Nanjing", "Wuhan", "Chengdu", "Xiamen", "Qingdao", "Suzhou"] ["Wang", "Zhang", "Liu", "Zhao", "Huang", "Zhou", "Xu", "Sun"]
    "TW" Chinese ["com.tw", "com"] ["Co., Ltd.", "Inc."] ["Taipei", "Taichung", "Hsinchu", "Kaohsiung"] ["Chen", "Lin", "Tsai", "Hsu"]
    "KR" Korean ["co.kr", "co.kr", "com", "ac.kr"] ["Co., Ltd.", "주식회사", "Inc."] ["Seoul", "Busan", "Daegu", "Seongnam-si", "Suwon", "Daejeon"] ["Kim", "Lee", "Park", "Choi", "Jung", "Kang"]
    "RU" Russian ["ru", "ru", "com"] ["ООО", "ОАО", "LLC", "JSC"] ["Moscow", "Saint Petersburg", "Kazan", "Novosibirsk", "Samara", "Tomsk"] ["Ivanov", "Petrov", "Sidorov", "Volkov", "Sokolov", "Morozov"]
}

/// Trades in English, which most countries use in names.
pub(super) const TRADES: &str = "Consulting Logistics Software Systems Engineering Foods Energy Capital Partners Media Design Medical Pharma Transport Trading Motors Steel Textiles Solutions Services Technology Technologies Data Cloud Security Law Architects Dental Clinic School Hotel Travel Insurance Finance Bank Marketing Print Plastics Chemicals Tools Studio Labs Industries Electronics Construction Farms Wines Sports Events Academy Recruitment Accounting Holdings Properties Biotech Aerospace Mining Petroleum Shipping Packaging Semiconductor Materials Resources Ventures Therapeutics International Global Investments Communications Networks Robotics Machinery Furniture Paper Glass Ceramics Cosmetics Seafood Brewery Dairy Gaming Entertainment Publishing Education Healthcare Diagnostics Instruments Automation";
pub(super) const GERMAN_TRADES: &str = "Bau Immobilien Maschinenbau Elektro Spedition Verlag Werkzeuge Heizung Gartenbau Metallbau Fördertechnik Gebäudetechnik Lebensmittel Versicherung Beratung Apotheke Autohaus Druckerei Bäckerei Möbel Chemie Versand";
pub(super) const FRENCH_TRADES: &str = "Conseil Transports Bâtiment Assurances Boulangerie Ingénierie Immobilier Électricité Travaux Publicité Viticulture Menuiserie Logistique";
pub(super) const SPANISH_TRADES: &str = "Consultores Transportes Construcciones Alimentos Servicios Seguros Ingeniería Inmobiliaria Distribuciones Textiles Energía Asesores";
pub(super) const ITALIAN_TRADES: &str = "Costruzioni Trasporti Alimentari Assicurazioni Impianti Meccanica Ceramiche Vini Arredamenti Servizi Tessuti";

/// Fields of institutions.
pub(super) const FIELDS: &str = "Medicine|Physics|Chemistry|Agriculture|Health|Education|Public Health|Engineering|Marine Biology|Environmental Studies|Economics|Cancer Research|Neuroscience|Art|Music|Law|Energy|Space Science|Forestry|Geology|Statistics|Technology|Nuclear Energy|Science and Technology|Fisheries|Veterinary Medicine|Management|Applied Mathematics|Social Policy|Polar Studies|Genetics|Metallurgy|Materials|Hydrology|Pharmacy|Nursing|Theology|Informatics|Design|Transport|Labour|Finance|Defence|Culture|Tourism|Sport|Archaeology|Linguistics|Plant Breeding|Child Welfare|Mental Health|Rural Development|Civil Aviation|Water Resources|Food Safety";

/// Parts and branches that take the name of the whole.
pub(super) const PARTS: &str = "Hospital|Medical School|Library|Press|Foundation|Research Center|Institute of Technology|Alumni Association|Medical Center|Business School|Museum|Clinic|Faculty of Law|Faculty of Engineering|Graduate School|Children's Hospital|Science Park|Observatory|Cancer Center|Dental School|Botanical Garden";
pub(super) const BRANCHES: &str = "Deutschland|France|Nordic|Benelux|Italia|Iberia|UK|Asia|USA|Services|Logistics|Finance|Real Estate|Digital|Foundation|Production|Europe|India|China|Japan|Polska|Energy|Leasing|Trading|Pharma|Research|Software|Shipping|Insurance|Capital|Retail|Properties|Ventures|International|Canada|Brasil|Australia|Middle East|Chemicals|Electronics|Systems|Engineering|Motors|Foods";

pub(super) const STARTS: &str = "Nor Vel Kas Bri Tor Mar Hel Sol Ven Cal Dor Fen Gal Hav Jor Lum Mon Ner Ori Pel Qua Riv Sen Tal Ulm Var Wes Xan Yor Zen Alb Bel Cor Del Fal Gran Hol Ing Kel Ast Bor Cran Dun El Fir Gor Har Is Jan Kir Lan Mil Nov Os Par Ros Sam Tan Ur Vic Wal";
pub(super) const MIDDLES: &str =
    "da vi re lo ma ti no sa ri be co du fi ga ha ki la mo ne pa ro si ta va en an or il";
pub(super) const ENDS: &str = "tec na lis ra gen x nt ris mont berg dale ford wick stone field tron via nova plex dyne cor land ton mar lux med soft net gas ix ora tek sys ium on ara etic shire worth bridge well wood hurst bury mouth";
pub(super) const ENGLISH_WORDS: &str = "Blue Silver Golden Summit River Harbor Eagle Falcon Pioneer Liberty Heritage Crown Star Sun Moon Ocean Mountain Valley Forest Stone Iron Bright Swift Prime Apex Vertex Delta Omega Alpha Sigma Nova Atlas Titan Phoenix Horizon Pacific Atlantic Northern Southern Eastern Western Central United National American European Royal Imperial Grand First Second Capital City Urban Rural Green Red White Black Orange Diamond Crystal Pearl Emerald Ruby Fusion Quantum Matrix Vector Signal Beacon Bridge Gateway Keystone Cornerstone Anchor Compass Meridian Zenith Echo Pulse Spark Flame Wave Wind Solar Lunar Terra Aqua Aero Astro Bio Geo Cyber Digital Smart Clear True Noble Trust Unity Harmony Legacy Evergreen Redwood Oak Cedar Maple Willow Birch Fox Wolf Bear Lion Tiger Hawk Raven Swan";

pub(super) const KANJI: &str = "東 西 南 北 中央 日本 大和 富士 山田 三井 住吉 川崎 松本 電機 工業 化学 建設 製薬 運輸 食品 銀行 大学 研究所 病院 技術 科学 国際 機械 石油 自動車";
pub(super) const HANZI: &str = "北京 上海 中国 华南 东方 长江 黄河 金龙 银河 科技 电子 集团 大学 医院 研究院 化工 机械 汽车 银行 食品 建设 国际 信息 能源 材料";
pub(super) const HANGUL: &str = "한국 서울 대한 동아 삼성 신라 현대 전자 산업 화학 건설 식품 은행 대학교 병원 연구소 기술 국제 기계 자동차";
pub(super) const CYRILLIC: &str = "Север Восток Центр Союз Волга Сибирь Урал Москва Техника Строй Энерго Нефть Газ Банк Транс Завод Институт Университет Больница Наука Сталь Химия Металл Свет";
pub(super) const TOWNS: &str = "ville burg ton au hausen dorf field bridge mouth ham stad by vik ovo ica ara ena ino ano ello igny ac ec court lac bad hof see berg tal worth ley den haven port more dale grad sk ow itz";
