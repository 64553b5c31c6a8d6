from pathlib import Path

from toolchain.cluster.layout import LONGEST_SOCKET, SOCKET_PATH_BYTES, choose_root

ROOM = SOCKET_PATH_BYTES - len(LONGEST_SOCKET) - 1


def _folder_of_length(length: int) -> Path:
    return Path("/" + "x" * (length - 1))


def test_a_folder_is_kept_while_the_longest_socket_fits_below_it() -> None:
    assert choose_root(_folder_of_length(ROOM)) == _folder_of_length(ROOM)


def test_a_longer_folder_gives_way_to_a_short_one_of_its_own() -> None:
    first, second = choose_root(_folder_of_length(ROOM + 1)), choose_root(_folder_of_length(ROOM + 2))
    assert first != second
    assert len(str(first / LONGEST_SOCKET)) <= SOCKET_PATH_BYTES
    assert first.is_relative_to("/var/lib/tf-serving-platform")
