"""schemathesis tries what the API's description allows and what it forbids: nothing crashes, nothing lies."""

import os
from typing import TYPE_CHECKING

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from store.credential import Channel, Scope

if TYPE_CHECKING:
    from conftest import Site

EXAMPLES = int(os.environ.get("PINGJIA_TEST_EXAMPLES", "40"))  # an operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")  # the tool's own
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_nothing_the_description_allows_or_forbids_breaks_the_api(site: "Site", mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", site.app)
    headers = site.key(*Scope, channel=Channel.PAPER)
    found = [operation.ok() for operation in schema.get_all_operations()]
    assert len(found) > 8
    for operation in found:

        @settings(max_examples=EXAMPLES // 2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(mode))
        def attempt(case: Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            attempt()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # it takes nothing that could be wrong
