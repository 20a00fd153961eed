"""Whole sites, fetched by the programs that people fetch them with."""
import pytest
from git_site import GitSite, clone_change_push
from mirror import copy, differences, files, take_documentation
from nginx import Nginx
from proxyd import Proxyd, free_port, site
from scale import scaled


@pytest.mark.parametrize("workers", [1, 4])
def test_a_documentation_tree_fetched_through_us_equals_a_direct_copy(tmp_path, workers):
    names, port = take_documentation(tmp_path / "doc", least_files=scaled(500, None)), free_port()
    with Nginx(f"root {tmp_path}/doc; autoindex on;") as nginx, Proxyd(site(port, nginx.address), workers=workers) as proxyd:
        said = copy(port, names, tmp_path / "through", at_once=4)
        copy(nginx.port, names, tmp_path / "direct", at_once=4)
        assert len(files(tmp_path / "direct")) >= 500
        print(f"{len(files(tmp_path / 'direct'))} files")
        assert not differences(tmp_path / "through", tmp_path / "direct"), said[-2000:]
        assert proxyd.metric("proxyd_http_requests_total") > 500
        assert proxyd.metric("proxyd_process_restarts_total") == 0


def test_a_repository_is_cloned_changed_and_pushed_over_smart_http(tmp_path):
    port = free_port()
    with GitSite(tmp_path, files=scaled(20, 120), octets_each=1_000_000) as origin, Proxyd(site(port, origin.address)) as proxyd:
        assert clone_change_push(origin, port) >= scaled(20_000_000, 120_000_000)
        assert proxyd.metric("proxyd_process_restarts_total") == 0
