"""The postconditions of the use case: what is so when it is over. Two of its three are questions there."""

from __future__ import annotations

from harness.checkers import conditions
from harness.usecase import Actor, Clause, Point

CLAUSES = (
    Clause(
        id="UC2.7-POST-CONFIG-IN-CIS",
        text="The CIS, asked after it took step 14, has the device at its premise.",
        origin="PROFILE",
        citation="AEP use case 2.7, postconditions",
        checks={Actor.CIS: (conditions.linkage_is_in_cis,)},
        needs=(Point.CIM,),
        open_item="The use case puts it as a question: \"HAN Device Configuration data is sent to the CIS System?\"",
        sees=(14,),
    ),
    Clause(
        id="UC2.7-POST-STATE-IN-DRMS",
        text="The DR Application, asked after it took step 13, says that the device has joined.",
        origin="PROFILE",
        citation="AEP use case 2.7, postconditions",
        checks={Actor.DR_APPLICATION: (conditions.state_is_in_drms,)},
        needs=(Point.CIM,),
        open_item="The DRMS is named and is no actor; here it is the DR Application.",
        sees=(13,),
    ),
    Clause(
        id="UC2.7-POST-ENROLMENT-PASSED",
        text="The active enrolment goes on to the CIS, as the customer's agreement in the linkage of step 14.",
        origin="PROFILE",
        citation="AEP use case 2.7, postconditions; docs/cim-profile.md, steps 13 and 14",
        checks={Actor.DR_APPLICATION: (conditions.enrolment_is_passed_on,)},
        needs=(Point.CIM,),
        open_item="The use case puts it as a question, to CIS \"and or\" ODS.",
        sees=(14,),
    ),
)
