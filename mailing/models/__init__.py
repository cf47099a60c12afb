"""The tables of the sending core, in the order in which a mailing leaves."""

from mailing.models.change import ClientChange
from mailing.models.client import Client, ClientList, ClientTag
from mailing.models.figures import ClientChange, HourlyCount
from mailing.models.gate import OwnerGate, ServerGate
from mailing.models.mailing import DatePeriod, Mailing
from mailing.models.message import Message
from mailing.models.run import Attempt, Batch, Delivery, Run
from mailing.models.suppression import Suppression

__all__ = [
    "Attempt",
    "Batch",
    "Client",
    "ClientChange",
    "ClientList",
    "ClientTag",
    "DatePeriod",
    "Delivery",
    "HourlyCount",
    "Mailing",
    "Message",
    "OwnerGate",
    "Run",
    "ServerGate",
    "Suppression",
]
