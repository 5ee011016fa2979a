"""Sends the same requests to Apache Kafka and to Moldau and compares the decoded answers field by field."""
import time

import messages
import wire_cases
import wire_data_cases
import wire_table
from wire_session import Session

CASES = {**wire_cases.ALL, **wire_data_cases.ALL}


def prepare(s):
    s.make_topic("known")
    s.make_topic("col_lision")
    wire_cases.fill_offsets(s)
    wire_data_cases.fill_fetch(s)


def run_side(name, address, protocol, run, versions, only=None):
    """All cases against one broker."""
    session = Session(name, address, protocol, run)
    prepare(session)
    if not only:
        wire_cases.refused_versions(session)
    for api, case in CASES.items():
        for version in versions[api]:
            if not only or api in only:
                case(session, version)
    return session


def common_versions(addresses, protocol):
    """Per API the versions that every broker advertises and that Kafka accepts."""
    out = {}
    for address in addresses:
        session = Session("", address, protocol, "")
        for api in CASES:
            served = set(session.versions(api)) & set(protocol.request(api).versions)
            out[api] = out[api] & served if api in out else served
        session.drop()
    return {api: sorted(versions) for api, versions in out.items()}


def new_run():
    return f"wire{int(time.time() * 1000) % 10**9}"


