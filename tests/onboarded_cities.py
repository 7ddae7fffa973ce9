"""Files in the true shapes of public case logs of cities: headings and forms as those cities publish them, rows made up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence


def _csv(head: str, rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    headings = head.split(delimiter)
    writer.writerows([headings, *([*row, *[""] * (len(headings) - len(row))] for row in rows)])
    return text.getvalue().encode()


# Boston, 311 service requests, the system up to 2025.
_BOSTON = (
    "case_enquiry_id,open_dt,target_dt,closed_dt,ontime,case_status,closure_reason,case_title,subject,reason,type,queue,"
    "department,submittedphoto,closedphoto,location,fire_district,pwd_district,city_council_district,police_district,"
    "neighborhood,neighborhood_services_district,ward,precinct,location_street_name,location_zipcode,latitude,longitude,"
    "source"
)


def _boston(number: int, opened: str, target: str, closed: str, source: str) -> list[str]:
    status, reason = ("Closed", "Case Closed. Noted, no action") if closed else ("Open", " ")
    told = [
        "ONTIME",
        status,
        reason,
        "Pothole",
        "Public Works Department",
        "Highway Maintenance",
        "Request for Pothole",
    ]
    place = [
        "PWDx_Highway",
        "PWDx",
        "",
        "",
        "1 Made-up St  Boston  MA",
        *["1"] * 8,
        "1 Made-up St",
        "02127",
        "42.3",
        "-71.0",
    ]
    return [f"10100411{number:04d}", opened, target, closed, *told, *place, source]


BOSTON = _csv(
    _BOSTON,
    [
        _boston(1, "2024-01-02 23:46:09", "2024-01-17 08:30:00", "2024-01-17 17:03:10", "Citizens Connect App"),
        _boston(2, "2024-01-03 08:00:00", "2024-01-04 08:30:00", "2024-01-05 11:00:00", "Constituent Call"),
        _boston(3, "2024-01-03 09:00:00", "", "2024-03-01 11:00:00", "Self Service"),
        _boston(4, "2024-02-03 09:00:00", "2024-02-09 08:30:00", "", "City Worker App"),
    ],
)

# The system after it: moments in UTC with an offset of hours only.
_BOSTON_NEW = (
    "case_id,open_date,case_topic,service_name,assigned_department,assigned_team,case_status,closure_reason,"
    "closure_comments,close_date,target_close_date,on_time,report_source,full_address,street_number,street_name,zip_code,"
    "neighborhood,public_works_district,city_council_district,fire_district,police_district,ward,precinct,"
    "submitted_photo,closed_photo,longitude,latitude"
)
BOSTON_NEW = _csv(
    _BOSTON_NEW,
    [
        # Closed at 22:30 on the 19th in Boston, due on the 19th.
        ["BCS-00000001", "2024-03-18 13:00:00+00", "Lamp", "Lamp", "PWD", "Lights", "Closed", "Resolved", "",
         "2024-03-20 02:30:00+00", "2024-03-19 13:00:00+00", "ONTIME", "Web"],
        ["BCS-00000002", "2024-03-18 13:00:00+00", "Lamp", "Lamp", "PWD", "Lights", "In progress", "", "", "",
         "2024-03-23 13:00:00+00", "OVERDUE", "Call"],
    ],
)  # fmt: skip

# New York, 311 service requests: twelve-hour times, agencies by their code.
_NEW_YORK = (
    "Unique Key,Created Date,Closed Date,Agency,Agency Name,Complaint Type,Descriptor,Location Type,Incident Zip,"
    "Incident Address,Street Name,Cross Street 1,Cross Street 2,Intersection Street 1,Intersection Street 2,Address Type,"
    "City,Landmark,Facility Type,Status,Due Date,Resolution Description,Resolution Action Updated Date,Community Board,"
    "BBL,Borough,X Coordinate (State Plane),Y Coordinate (State Plane),Open Data Channel Type,Park Facility Name,"
    "Park Borough,Vehicle Type,Taxi Company Borough,Taxi Pick Up Location,Bridge Highway Name,Bridge Highway Direction,"
    "Road Ramp,Bridge Highway Segment,Latitude,Longitude,Location"
)


def _new_york(number: int, created: str, closed: str, agency: str, status: str, due: str, channel: str) -> list[str]:
    middle = ["Noise", "Loud", "Street", "10001", "1 MADE-UP ST", *[""] * 9]
    return [
        str(59000000 + number),
        created,
        closed,
        agency,
        agency,
        *middle,
        status,
        due,
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        channel,
    ]


NEW_YORK = _csv(
    _NEW_YORK,
    [
        _new_york(
            1, "01/31/2024 11:59:45 PM", "02/01/2024 12:10:00 AM", "NYPD", "Closed", "02/01/2024 07:59:45 AM", "PHONE"
        ),
        _new_york(
            2, "02/01/2024 12:00:00 AM", "02/09/2024 01:00:00 PM", "NYPD", "Closed", "02/08/2024 12:00:00 AM", "ONLINE"
        ),
        _new_york(3, "02/02/2024 12:30:00 PM", "", "DSNY", "In Progress", "02/20/2024 12:30:00 PM", "MOBILE"),
        _new_york(4, "02/02/2024 12:31:00 PM", "02/05/2024 09:00:00 AM", "DSNY", "Closed", "", "UNKNOWN"),
        _new_york(5, "02/02/2024 12:32:00 PM", "", "HPD", "Assigned", "", "ONLINE"),
    ],
)

# Chicago, building permits: whether one is issued is told by the milestone, fees have cents.
_CHICAGO = (
    "ID,PERMIT#,PERMIT_STATUS,PERMIT_MILESTONE,PERMIT_TYPE,REVIEW_TYPE,APPLICATION_START_DATE,ISSUE_DATE,PROCESSING_TIME,"
    "STREET_NUMBER,STREET_DIRECTION,STREET_NAME,WORK_TYPE,WORK_DESCRIPTION,PERMIT_CONDITION,BUILDING_FEE_PAID,TOTAL_FEE,"
    "CONTACT_1_TYPE,CONTACT_1_NAME,CONTACT_1_CITY,CONTACT_2_TYPE,CONTACT_2_NAME,CONTACT_2_CITY,REPORTED_COST,PIN_LIST,"
    "COMMUNITY_AREA,CENSUS_TRACT,WARD,XCOORDINATE,YCOORDINATE,LATITUDE,LONGITUDE,LOCATION"
)
CHICAGO = _csv(
    _CHICAGO,
    [
        ["3300001", "101000001", "ACTIVE", "PERMIT ISSUED", "PERMIT - EXPRESS", "EXPRESS", "01/05/2024", "01/08/2024", "3",
         "1", "N", "MADE-UP", "", "", "", "75.00", "1,075.50", "OWNER", "NGƯỜI GIẢ 1", "CHICAGO"],
        ["3300002", "101000002", "COMPLETE", "CERTIFICATE ISSUED", "PERMIT - NEW", "STANDARD", "01/05/2024", "03/25/2024",
         "80", "1", "N", "MADE-UP", "", "", "", "75.00", "75.00", "OWNER", "NGƯỜI GIẢ 2", "CHICAGO"],
        ["3300003", "101000003", "PENDING", "APPLICATION IN PROCESS", "PERMIT - NEW", "STANDARD", "01/06/2024", "", "",
         "1", "N", "MADE-UP", "", "", "", "", "0.00", "OWNER", "NGƯỜI GIẢ 3", "CHICAGO"],
        ["3300004", "101000004", "CANCELLED", "PERMIT CANCELLED", "PERMIT - NEW", "STANDARD", "02/06/2024", "02/09/2024",
         "3", "1", "N", "MADE-UP", "", "", "", "", "0.00", "OWNER", "NGƯỜI GIẢ 4", "CHICAGO"],
    ],
)  # fmt: skip

# Seattle, building permits: what was not issued may have been completed, and who withdrew has no day of decision.
_SEATTLE = (
    "PermitNum,PermitClass,PermitClassMapped,PermitTypeMapped,PermitTypeDesc,Description,HousingUnits,HousingUnitsRemoved,"
    "HousingUnitsAdded,EstProjectCost,AppliedDate,IssuedDate,ExpiresDate,CompletedDate,StatusCurrent,OriginalAddress1,"
    "OriginalCity,OriginalState,OriginalZip,ContractorCompanyName,Link,Latitude,Longitude,Location1"
)


def _seattle(number: int, applied: str, issued: str, completed: str, status: str) -> list[str]:
    kind = ["Residential", "Residential", "Building", "Addition", "Made up", "0", "0", "0", "1000"]
    return [
        f"690{number:04d}-CN",
        *kind,
        applied,
        issued,
        "",
        completed,
        status,
        "1 MADE-UP ST",
        "SEATTLE",
        "WA",
        "98101",
    ]


SEATTLE = _csv(
    _SEATTLE,
    [
        _seattle(1, "2024-01-10", "2024-02-10", "", "Issued"),
        _seattle(2, "2024-01-11", "2024-01-31", "2024-03-01", "Completed"),
        _seattle(3, "2024-01-12", "", "2024-03-02", "Closed"),
        _seattle(4, "2024-02-12", "", "", "Reviews In Process"),
        _seattle(5, "2024-02-12", "", "", "Additional Info Requested"),
        _seattle(6, "1998-03-02", "1998-04-20", "1999-01-04", "Completed"),  # an archive reaches back
    ],
)

# Zürich, reports of citizens (Open311): semicolons, and a request is ended by the change that says so.
_ZURICH = "service_request_id;lon;lat;service_code;status;detail;jpegs;requested_datetime;agency_sent_datetime;updated_datetime;service_name;interface_used"
ZURICH = _csv(
    _ZURICH,
    [
        ["70001", "8.5", "47.3", "Abfall", "fixed - council", "", "", "2024-03-05 08:00:00", "2024-03-05 09:00:00",
         "2024-03-08 10:00:00", "Abfall/Sammelstelle", "Web interface"],
        ["70002", "8.5", "47.3", "Strasse", "open", "", "", "2024-03-05 08:00:00", "2024-03-05 09:00:00",
         "2024-03-06 10:00:00", "Strasse/Trottoir/Platz", "iOS App"],
        ["70003", "8.5", "47.3", "Strasse", "closed", "", "", "2024-03-31 23:30:00", "2024-04-01 09:00:00",
         "2024-04-09 10:00:00", "Strasse/Trottoir/Platz", "Android App"],
        ["70004", "8.5", "47.3", "Abfall", "wish", "", "", "2024-03-31 23:30:00", "", "", "Abfall/Sammelstelle", "Web interface"],
    ],
    ";",
)  # fmt: skip

# Planning applications of English authorities, as an interface gives them: records in an envelope, the decision in an
# object, no target: eight weeks by law.


def _planning(number: int, area: str, start: str, decided: str | None, state: str) -> dict[str, object]:
    return {
        "uid": f"24/{number:05d}/FUL", "name": f"{area}/24/{number:05d}/FUL", "area_name": area, "area_id": 1,
        "address": "1 Made-up Lane", "postcode": "AB1 2CD", "app_type": "Full", "app_size": "Small", "app_state": state,
        "start_date": start, "decided_date": decided, "description": "Made up", "link": "https://example.org/1",
        "location_x": 0.1, "location_y": 51.5, "last_changed": "2024-06-01T00:00:00.123",
        "other_fields": {"applicant_name": "NGƯỜI GIẢ", "decision": state, "n_documents": 3},
    }  # fmt: skip


PLANNING = json.dumps(
    {
        "from": 0, "to": 4, "total": 5,
        "records": [
            _planning(1, "Barset", "2024-01-10", "2024-03-06", "Permitted"),  # the 56th day
            _planning(2, "Barset", "2024-01-10", "2024-03-07", "Conditions"),
            _planning(3, "Barset", "2024-02-01", None, "Undecided"),
            _planning(4, "Loam", "2024-01-10", "2024-01-20", "Withdrawn"),
            _planning(5, "Loam", "2024-01-11", "2024-04-20", "Rejected"),
        ],
    }
).encode()  # fmt: skip

# A building permit log of a Dutch municipality as a tool for process mining writes it: one row an event, what is said
# of the case repeated under "(case) …", and it ends by its last events.
_PERMITS = (
    "Case ID,Activity,Resource,Complete Timestamp,Variant,Variant index,(case) IDofConceptCase,"
    "(case) Includes_subCases,(case) Responsible_actor,(case) SUMleges,(case) caseProcedure,(case) caseStatus,"
    "(case) case_type,(case) endDate,(case) endDatePlanned,(case) landRegisterID,(case) last_phase,(case) parts,"
    "(case) requestComplete,(case) startDate,(case) termName,action_code,activityNameEN,activityNameNL,dateFinished,"
    "dateStop,dueDate,lifecycle:transition,monitoringResource,planned,question"
)


def _permit(case: str, planned: str, events: Sequence[tuple[str, str]]) -> list[list[str]]:
    said = [
        "",
        "J",
        "560001",
        "254.71428",
        "Regulier",
        "G",
        "557669",
        "",
        planned,
        "",
        "Zaak afgehandeld",
        "Bouw",
        "TRUE",
    ]
    begun = f"{events[0][1]}.000"
    return [
        [case, code, "560872", f"{at}.000", "Variant 7", "7", *said, begun, "", code, "made up", "verzonnen", f"{at}.000",
         "", "", "complete", "560872", "", ""]
        for code, at in events
    ]  # fmt: skip


PERMITS = _csv(
    _PERMITS,
    [
        *_permit("10009138", "2014/04/10 00:00:00.000", [
            ("01_HOOFD_010", "2014/02/20 00:00:00"), ("01_HOOFD_490_1", "2014/04/10 15:20:00"),
            ("01_HOOFD_510_2", "2014/04/11 09:00:00"),
        ]),
        *_permit("10031427", "2014/04/10 00:00:00.000", [
            ("01_HOOFD_010", "2014/02/21 08:00:00"), ("01_HOOFD_490_1", "2014/04/14 11:00:00"),
        ]),
        *_permit("10031428", "", [("01_HOOFD_010", "2014/03/01 08:00:00"), ("01_HOOFD_050", "2014/03/04 08:00:00")]),
        *_permit("10031429", "", [("01_HOOFD_010", "2014/03/01 08:00:00"), ("05_EIND_010", "2014/03/05 08:00:00")]),
    ],
)  # fmt: skip

FILES = {
    "boston": ("311-2024.csv", BOSTON),
    "boston_new": ("311-new.csv", BOSTON_NEW),
    "new_york": ("erm2-nwe9.csv", NEW_YORK),
    "chicago": ("ydr8-5enu.csv", CHICAGO),
    "seattle": ("76t5-zqzr.csv", SEATTLE),
    "zurich": ("meldungen.csv", ZURICH),
    "planning": ("applics.json", PLANNING),
    "permits": ("BPIC15.csv", PERMITS),
}
