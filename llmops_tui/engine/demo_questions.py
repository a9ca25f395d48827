"""What customers of the demo's shop ask in the course of a day, and what a right answer says.

They are other questions than those of the eval set: what goes wrong with them is new to it.
"""

from __future__ import annotations

import msgspec


class Question(msgspec.Struct, frozen=True):
    """One question.

    Attributes:
        feature: which part of the shop asked.
        expected: what a person would write; a right answer has it in it, whatever the case.
        also: other ways to say it.
    """

    id: str
    feature: str
    text: str
    expected: str
    also: tuple[str, ...] = ()

    def is_answered_by(self, text: str) -> bool:
        return any(part.lower() in text.lower() for part in (self.expected, *self.also))


QUESTIONS = (
    Question("return-days", "refunds", "Within how many days of delivery can I ask for a refund?", "30 days"),
    Question("refund-address", "refunds", "To which address do I write for a refund?", "returns@larkfield"),
    Question(
        "refund-mail", "refunds", "Where do I write with my order number for a refund?", "returns@larkfield"
    ),
    Question(
        "money-back", "refunds", "Within how many working days do I get my money back?", "5 working days"
    ),
    Question("express-price", "shipping", "How much does express delivery cost?", "12 euros"),
    Question("standard-price", "shipping", "What does standard delivery cost?", "4.90"),
    Question("delivery-price", "shipping", "How much does standard delivery cost in the shop?", "4.90"),
    Question("norway", "shipping", "Do you deliver to Norway?", "Yes"),
    Question("free-above", "shipping", "Do I get free shipping above 50 euros?", "Yes", ("can get free",)),
    Question("lamp-warranty", "warranty", "What is the warranty on a lamp?", "2 years"),
    Question("warranty-years", "warranty", "How many years is the warranty?", "2 years"),
    Question("new-lamp", "warranty", "How long is the warranty on my new lamp?", "2 years"),
    Question("bulbs", "warranty", "Are bulbs covered by the warranty?", "not covered"),
    Question("serial", "warranty", "Where is the serial number of the lamp?", "underside of the base"),
    Question("repair-days", "warranty", "How many days does a repair of my lamp take?", "10 working days"),
    Question("cancel-choice", "orders", "What do I choose to cancel an order?", '"Cancel"'),
    Question("cancel-orders", "orders", "How do I cancel an order in My orders?", '"Cancel"'),
    Question("whom-to-call", "orders", "The delivery address is wrong. Whom do I call?", "call us"),
    Question("wrong-parcel", "orders", "What do I do when the delivery address is wrong?", "call us"),
    Question("visa", "payment", "Can I pay with Visa?", "Yes"),
    Question("transfer", "payment", "Can I pay by bank transfer?", "Yes"),
    Question("accept-paypal", "payment", "Do you accept PayPal?", "Yes"),
    Question("cash", "payment", "Is cash accepted?", "not accepted", ("no,",)),
    Question("reset-link", "account", "How long is the reset link valid?", "60 minutes"),
    Question("phone-number", "contact", "What is the phone number?", "+32 9 555 01 20"),
    Question("phone-hours", "contact", "From when to when can I call you from Monday to Friday?", "9:00"),
    Question("showroom", "contact", "When is the showroom in Ghent open?", "10:00 to 18:00"),
    Question("sunday", "contact", "Is the showroom closed on Sunday?", "closed"),
    Question("card-years", "gifts", "For how many years is a gift card valid?", "3 years"),
    Question("students", "gifts", "What discount do students get with a student card?", "10"),
    Question("codes", "gifts", "How many discount codes can be used for an order?", "one"),
)
