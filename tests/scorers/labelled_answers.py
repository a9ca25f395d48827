"""Answers to questions about the template's documents, labelled by hand: faithful, or with which fault.

`FIRST` was written before the plain method was tried on anything, and the method was settled on it. `SECOND`
was written after that; it showed one defect (a name in a text with many names), which was mended, and nothing
else was changed for it. The answers are worded as models word them. The passages are whole documents.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmops_tui.domain.output import Chunk

_DOCS = Path(__file__).parents[2] / "workspace_template" / "docs"


class Labelled(msgspec.Struct, frozen=True):
    """`fault` is empty for a faithful answer."""

    question: str
    answer: str
    documents: tuple[str, ...]
    fault: str = ""

    def retrieved(self) -> tuple[Chunk, ...]:
        texts = ((name, (_DOCS / f"{name}.md").read_text(encoding="utf-8")) for name in self.documents)
        return tuple(Chunk(f"docs/{name}.md", text, 1.0) for name, text in texts)


_REFUNDS = ("refunds", "orders", "warranty")
_SHIPPING = ("shipping", "orders", "payment")
_CARDS = ("gift-cards", "payment", "warranty")
_CONTACT = ("contact", "account", "refunds")

FIRST = (
    Labelled("How many days do I have to ask for a refund?", "You have 30 days from delivery.", _REFUNDS),
    Labelled(
        "How do I return a lamp?",
        "Send an email to returns@larkfield.example within 30 days of delivery and mention your order "
        "number. You will get your money back within 5 working days after we have received the lamp.",
        _REFUNDS,
    ),
    Labelled("How much is standard delivery?", "Standard delivery costs €4.90.", _SHIPPING),
    Labelled(
        "When do I get an express order?",
        "If you order before 14:00, it arrives the next working day. Express delivery costs 12 euros.",
        _SHIPPING,
    ),
    Labelled(
        "Do you ship to Norway?",
        "Yes! We deliver to Norway, Switzerland and the whole European Union.",
        _SHIPPING,
    ),
    Labelled("How long is a gift card valid?", "Gift cards stay valid for three years.", _CARDS),
    Labelled("Is there a student discount?", "Yes, students with a student card get 10% off.", _CARDS),
    Labelled(
        "When can I call you?", "You can reach us by phone Monday to Friday, from 9:00 to 17:00.", _CONTACT
    ),
    Labelled(
        "How long does a repair take?",
        "Repairs usually take around 10 working days. Please send a photo and the serial number, which you "
        "find on the underside of the base, to repair@larkfield.example.",
        _REFUNDS,
    ),
    Labelled(
        "Can I pay cash?",
        "Unfortunately not: we accept Visa, Mastercard, PayPal and bank transfers only.",
        _CARDS,
    ),
    Labelled(
        "How many days do I have to ask for a refund?", "You have 35 days from delivery.", _REFUNDS, "number"
    ),
    Labelled(
        "How do I return a lamp?",
        "Write to returns@larkfield.example with your order number. You get your money back within 10 "
        "working days.",
        _REFUNDS,
        "number of another fact",
    ),
    Labelled("How much is standard delivery?", "Standard delivery costs 5.90 euros.", _SHIPPING, "number"),
    Labelled(
        "When do I get an express order?",
        "An express order placed before 16:00 arrives the next working day.",
        _SHIPPING,
        "time",
    ),
    Labelled("Do you ship to Canada?", "Yes, we deliver to Canada and Norway.", _SHIPPING, "name"),
    Labelled(
        "Is there a student discount?",
        "Students get a discount of 10 percent. They also receive a free bulb with their first purchase.",
        _CARDS,
        "invented",
    ),
    Labelled("Is the showroom open on Sunday?", "Yes, the showroom is open on Sunday.", _CONTACT, "negation"),
    Labelled("Are bulbs covered?", "Bulbs are covered by the warranty.", _REFUNDS, "negation"),
    Labelled(
        "How long is a gift card valid?",
        "A gift card is valid for 2 years.",
        _CARDS,
        "number of another fact",
    ),
    Labelled(
        "Where do I write to have my data deleted?",
        "Write to support@larkfield.example and we delete your data within 30 days.",
        _CONTACT,
        "address",
    ),
)

SECOND = (
    Labelled(
        "How long is the password reset link valid?", "The reset link remains valid for one hour.", _CONTACT
    ),
    Labelled("When does the link expire?", "The reset link expires after 60 minutes.", _CONTACT),
    Labelled(
        "How can I cancel?",
        'Go to "My orders" and select "Cancel". This works until your order has been packed, usually '
        "within 2 hours.",
        _SHIPPING,
    ),
    Labelled("From which amount is shipping free?", "Orders over 50 euros ship for free.", _SHIPPING),
    Labelled("Can you deliver to a PO box?", "No, we can't deliver to post office boxes.", _SHIPPING),
    Labelled("Which gift cards are there?", "There are gift cards of €25, €50 and €100.", _CARDS),
    Labelled("How long is the warranty?", "All lamps come with a two-year warranty.", _CARDS),
    Labelled("What if I pay by bank transfer?", "We hold your order for seven days, then cancel it.", _CARDS),
    Labelled("When is the showroom open?", "On Saturday, 10:00-18:00, in Ghent.", _CONTACT),
    Labelled("Are sale items refundable?", "No. Sale items can only be exchanged.", _REFUNDS),
    Labelled(
        "How long is the password reset link valid?", "The reset link is valid for 60 days.", _CONTACT, "unit"
    ),
    Labelled("How can I cancel?", 'You can cancel within 24 hours under "My orders".', _SHIPPING, "number"),
    Labelled(
        "From which amount is shipping free?",
        "Shipping is free for orders above 40 euros.",
        _SHIPPING,
        "number",
    ),
    Labelled(
        "How long does standard delivery take?",
        "Standard delivery takes 3 to 5 working days. It is carried out by DHL.",
        _SHIPPING,
        "name",
    ),
    Labelled(
        "Which gift cards are there?", "Gift cards come in 25, 50, 100 and 200 euros.", _CARDS, "number"
    ),
    Labelled(
        "Where is the showroom?",
        "The showroom in Antwerp is open on Saturday from 10:00 to 18:00.",
        _CONTACT,
        "name",
    ),
    Labelled("Are sale items refundable?", "Yes, sale items can be refunded.", _REFUNDS, "negation"),
    Labelled(
        "What does express delivery cost?",
        "Express delivery costs 4.90 euros.",
        _SHIPPING,
        "number of another fact",
    ),
    Labelled(
        "How do I get a repair?",
        "Bring the lamp to our workshop together with the receipt.",
        _REFUNDS,
        "invented",
    ),
    Labelled(
        "Can I use two discount codes?", "Two discount codes can be used for an order.", _CARDS, "number"
    ),
)
