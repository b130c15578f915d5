"""The file of the policies."""

import os
from pathlib import Path

import pytest

from wherry.policies import PoliciesError, PoliciesFile, PoliciesUnreadable
from wherry.policies.file import LARGEST


def test_a_file_that_is_not_there_has_neither_stamp_nor_text(tmp_path: Path) -> None:
    file = PoliciesFile(tmp_path / "policies.sql")
    assert (file.stamp(), file.read()) == (None, None)


def test_a_changed_file_has_another_stamp_and_version(tmp_path: Path) -> None:
    file = PoliciesFile(tmp_path / "policies.sql")
    file.path.write_text("GRANT é")
    before = file.stamp(), file.read()
    assert before == (file.stamp(), file.read())
    file.path.write_text("GRANT éé")
    after = file.stamp(), file.read()
    assert before[0] != after[0]
    assert [read[0] for _, read in (before, after) if read] == ["GRANT é", "GRANT éé"]
    assert len({read[1] for _, read in (before, after) if read}) == 2


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(PoliciesUnreadable) as error:
        PoliciesFile(tmp_path).read()
    assert str(error.value) == f"{tmp_path} cannot be read: Is a directory"
    (tmp_path / "plain").touch()
    path = tmp_path / "plain" / "policies.sql"
    with pytest.raises(PoliciesUnreadable) as error:
        PoliciesFile(path).read()
    assert str(error.value) == f"{path} cannot be read: Not a directory"
    assert PoliciesFile(path).stamp() not in (None, PoliciesFile(tmp_path / "plain").stamp())


def test_what_would_be_read_without_an_end_is_refused(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_text("-" * (LARGEST + 1))
    for path, sentence in ((pipe, "cannot be read: Not a regular file"), (large, "is larger than 1048576 bytes")):
        with pytest.raises(PoliciesUnreadable) as error:
            PoliciesFile(path).read()
        assert str(error.value) == f"{path} {sentence}"


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "policies.sql"
    path.write_bytes(b"GRANT\n\xff")
    with pytest.raises(PoliciesError) as error:
        PoliciesFile(path).read()
    assert str(error.value) == "policies.sql:2:1: the file is not UTF-8 text"
