"""The tables of the sending core, in the order in which a mailing leaves."""

from mailing.models.change import ClientChange
from mailing.models.client import Client, ClientList, ClientTag
from mailing.models.figures import DailyGrowth, HourlyCount, RunTally
from mailing.models.gate import OwnerGate, ServerGate
from mailing.models.importing import ClientImport, ImportFault
from mailing.models.mailing import DatePeriod, Mailing
from mailing.models.message import Message
from mailing.models.run import Attempt, Batch, Delivery, Run
from mailing.models.suppression import Suppression

__all__ = [
    "Attempt",
    "Batch",
    "Client",
    "ClientChange",
    "ClientImport",
    "ClientList",
    "ClientTag",
    "DailyGrowth",
    "DatePeriod",
    "Delivery",
    "HourlyCount",
    "ImportFault",
    "Mailing",
    "Message",
    "OwnerGate",
    "Run",
    "RunTally",
    "ServerGate",
    "Suppression",
]
