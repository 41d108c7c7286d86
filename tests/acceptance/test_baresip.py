"""baresip calls the real survey: a second phone that nobody here wrote."""

from collections.abc import Callable
from pathlib import Path

from outside.baresip import Baresip, own_address
from outside.service import ROOT, Service


def test_a_rated_call_from_baresip(launch: Callable[..., Service], tmp_path: Path) -> None:
    # its SDP names the machine's own address, so that is where it is met; only that address is admitted
    address = own_address(tmp_path / "look")
    shipped = {"flow": ROOT / "callflows" / "post_call_survey.yaml", "prompts": ROOT / "prompts"}
    service = launch(host=address, sip_trunks=f"{address}/32", **shipped)
    (tmp_path / "phone").mkdir()
    with Baresip(tmp_path / "phone", address) as phone:
        phone.tell("dial", f"sip:survey@{service.address}")
        call_id = phone.event("CALL_ESTABLISHED")["id"]
        phone.tell("sndcode", "2")
        phone.event("CALL_CLOSED", within=40)
    row = service.evaluation(call_id)
    assert (row["grade"], row["stars"], row["match"]) == ("satisfied", 4, "none")
    assert service.call(call_id)["ended_by"] == "service", "it was thanked to the end"
