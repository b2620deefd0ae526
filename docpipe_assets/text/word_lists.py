"""The closed word lists of the rules for sentences, names and captions."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A stop after one of these never ends a sentence: something always follows.
OPEN_ABBREVIATIONS = _words(
    """
    adm admin aff ala amend ann app approx appx apr ariz ark art arts ass'n assn assoc att attn atty aug
    auth bankr bd br bros c.f.r cal capt cf ch chs cir civ cl cmdr cnty code col colo comm comm'n compl
    cong conn const cont'd cpl crim ct cty dec decl del dep dep't depo dept det dict dist div dkt doc
    docs dr e.g ecf ed eds eg encl ent envtl est evid ex exh exhs exs ext f f.2d f.3d f.4th f.supp feb
    fed fed.appx fid fig figs fla fn fr ft ga gen gov gov't haw hon hosp i.e ie ill ind indus ins insp
    inst int'l jan jud jul jun ky l l.ed la lt mag maj mar mass md messrs mfg mich minn miss mo mont mr
    mrs ms mt mut mx n n.c n.d n.j n.m n.y nat'l neb nev nn no nos nov nr oct ofc okla ord ore p pa pac
    par para paras pg pgs pp pres proc prof pt pts pub pvt r.r reg regs rep res resp rev rm rptr rul ry
    s.c s.ct s.d sec secs sen sep sept ser serv servs sgt so st stat std stds subd subds subpt subsec
    sup super supp supt sys tech tel tenn tex tit tr trans transp u.s.c u.s.c.a univ v va vet viz vol
    vols vs vt w.va wash wis wyo
    """
)

# Those of these abbreviations that are words in lower case: "So. 2d", but "it was so."
ABBREVIATIONS_THAT_ARE_WORDS = _words(
    """
    app art code del est fig gen ill ins mag mar mass miss no ore pac pub res so wash
    """
)

# A stop after one of these may end a sentence: it does if a sentence clearly begins after it.
CLOSING_ABBREVIATIONS = _words(
    """
    a.m al am apt ave bldg blvd co corp cos d.c d.d.s d.o dr esq etc hwy ibid id inc jr l.a l.l.c l.l.p
    llc llp ln ltd m.d p.a p.c p.m ph.d pkwy plc pm r.n rd seq sq sr ste u.s u.s.a
    """
)

SENTENCE_STARTERS = _words(
    """
    A According Accordingly Additionally After All Also Although An And Any Appellant Appellee Are As At
    Based Because Before Both But By Can Could Defendant Defendants Did Do Does During Each Either Even
    Every Finally For From Further Furthermore Generally Given Had Has Have He Her Here His How However
    I If In Indeed Instead Is It Its Just Later Likewise Many May Moreover Most My Neither Nevertheless
    Next No None Nor Not Nothing Now Of On Once Only Or Our Petitioner Plaintiff Plaintiffs Please
    Pursuant Rather Respondent See She Should Similarly Since So Some Specifically Such That The Their
    Then There Therefore These They This Those Though Thus To Under Unless Until Upon Was We Were What
    When Where Whether Which While Who Why Will With Without Would Yet You
    """
)

# A line that ends with one of these continues on the next one.
CONNECTIVES = _words(
    """
    & a against all an and any are as at be been between but by dated for from her his in into is its my
    no. nor nos. of on or our per re re: such than that the their this to under upon v. vs. was were
    which who with § §§
    """
)

TITLE_CASE_SMALL_WORDS = _words(
    """
    & a an and as at but by for from in into its nor of on or per the to v. vs. with
    """
)

RUNNING_CAPTION_SMALL_WORDS = _words(
    """
    & a/k/a al al. and behalf by case d/b/a de del di et ex for in la no. of on rel rel. the v. van von
    vs.
    """
)

TITLES_OF_MEN = _words(
    """
    lord mister mr sir
    """
)

TITLES_OF_WOMEN = _words(
    """
    dame lady madam miss mrs ms
    """
)

TITLES = _words(
    """
    adm admiral agent ambassador attorney atty capt captain chief coach col colonel commissioner
    congressman congresswoman corporal counsel counselor cpl dame deputy det detective doctor dr duke
    emperor father fr gen general gov governor hon honorable imam inspector judge justice king lady
    lieutenant lord lt madam magistrate maj major mayor minister miss mister mr mrs ms mx nurse officer
    pastor pope president prince princess prof professor pvt queen rabbi rep representative rev reverend
    saint secretary sen senator sergeant sgt sheriff sir trooper vice
    """
)

TITLES_BEFORE_FIRST_NAMES = _words(
    """
    dame emperor king pope prince princess queen saint sir
    """
)

DEGREES = _words(
    """
    bsn cbe cpa dc dds dmd do dvm esq esquire faan jd llm mba md msn np obe od pa pe pharmd phd ret rn
    """
)

PARTICLES = _words(
    """
    abu al ben bin da de del della den der di dos du el ibn la las le los mac san santa st ten ter van
    von
    """
)

# The first of each line is the formal name.
NICKNAMES = (
    "robert bob bobby rob robbie bert",
    "william bill billy will willie liam",
    "richard dick rick ricky rich richie",
    "james jim jimmy jamie",
    "john jack johnny jon",
    "jonathan jon",
    "joseph joe joey",
    "michael mike mikey mick",
    "thomas tom tommy",
    "charles charlie chuck",
    "david dave davey",
    "daniel dan danny",
    "edward ed eddie ted ned",
    "theodore ted theo",
    "anthony tony",
    "andrew andy drew",
    "benjamin ben benny",
    "christopher chris",
    "christina christine chris tina",
    "steven stephen steve",
    "matthew matt",
    "nicholas nick",
    "peter pete",
    "patrick pat",
    "patricia pat patty trish",
    "samuel sam sammy",
    "samantha sam",
    "alexander alex sandy",
    "alexandra alex sandra",
    "gregory greg",
    "ronald ron ronnie",
    "donald don donnie",
    "kenneth ken kenny",
    "lawrence larry",
    "leonard len lenny leo",
    "frederick fred freddie",
    "francis frank",
    "gerald jerry gerry",
    "raymond ray",
    "timothy tim",
    "walter walt",
    "philip phil",
    "phillip phil",
    "vincent vince",
    "zachary zach zack",
    "jeffrey jeff",
    "joshua josh",
    "nathaniel nathan nate",
    "elizabeth liz beth betty eliza lizzie betsy",
    "margaret maggie peggy meg",
    "katherine catherine kathryn kate kathy cathy katie",
    "jennifer jen jenny",
    "jessica jess",
    "rebecca becky",
    "susan sue susie",
    "deborah debra deb debbie",
    "barbara barb",
    "victoria vicky tori",
    "pamela pam",
    "cynthia cindy",
    "dorothy dot dottie",
    "judith judy",
    "kimberly kim",
    "abigail abby",
    "theresa teresa terry",
)

GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}

# The short form first, then other ways to write it.
_LEGAL_FORM_LINES = """
    inc incorporated
    corp corporation
    co company cos companies
    llc
    llp
    lp
    ltd limited
    ag aktiengesellschaft
    plc
    pc
    pllc
    pa
    na
    gmbh
    sa
    nv
    bv
    kg
    spa
    srl
    oy
    ab
    """
LEGAL_FORMS = {word: line.split()[0] for line in _LEGAL_FORM_LINES.split("\n") for word in line.split()}

# Left out of initials.
INSIGNIFICANT_WORDS = _words(
    """
    & and at de der des du for in la of on the
    """
)

# Alone, one of these is not the short name of an organisation that begins with it.
GENERIC_ORGANISATION_WORDS = _words(
    """
    air america american army association bank board british bureau center central centre church city
    club college commission committee company corporation council county court department dept district
    east eastern federal fire first general global great group hospital house institute insurance
    international league life ministry national navy new north northern office old party police public
    republic royal school second social society south southern state states u.s union united university
    us west western world
    """
)
