"""Extends organisation names: by the legal form after the name, and by partners before an ampersand."""

from docpipe_assets.engines.ner.crf.features import Tokens
from docpipe_assets.engines.ner.crf.short_names import Span

# Only forms that are not English words: "Company" and "Holdings" may begin another phrase.
_FORMS = (
    "inc inc. corp corp. llc l.l.c. llp l.l.p. lllp lp l.p. ltd ltd. pllc p.l.l.c. p.c. pc p.a. plc n.a. "
    "gmbh s.a. fsb b.v. n.v."
)
LEGAL_FORMS = frozenset(_FORMS.split())


def completed(spans: list[Span], tokens: Tokens) -> list[Span]:
    """Joins "HARPER" + "DOYLE & KIM" and includes ", LLP" if the tagger stopped before it."""
    whole: list[Span] = []
    for i, span in enumerate(spans):
        if span.tag == "O":
            limit = spans[i + 1].start if i + 1 < len(spans) else len(tokens.words)
            span = _with_legal_form(span, tokens, limit)
            while whole and _is_partner(whole[-1], span, tokens):
                partner = whole.pop()
                span = Span(partner.start, span.end, "O", min(partner.score, span.score))
        whole.append(span)
    return whole


def _with_legal_form(span: Span, tokens: Tokens, limit: int) -> Span:
    end = span.end
    if end < limit and tokens.words[end] == ",":
        end += 1
    has_form = end < limit and tokens.words[end].lower() in LEGAL_FORMS and tokens.breaks[end] in ("", " ")
    return span._replace(end=end + 1) if has_form else span


def _is_partner(before: Span, span: Span, tokens: Tokens) -> bool:
    """A surname and a comma before "Doyle & Kim, LLP" on the same line."""
    between = before.end
    return (
        before.tag in ("P", "O")
        and before.end - before.start == 1
        and span.start == between + 1
        and tokens.words[between] == ","
        and tokens.breaks[span.start] in ("", " ")
        and "&" in tokens.words[span.start : span.end]
        and tokens.words[span.end - 1].lower() in LEGAL_FORMS
    )
