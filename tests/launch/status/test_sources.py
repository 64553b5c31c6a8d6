"""How the sources are asked."""

import sys

import pytest

from launch.status.sources import OWN_CONTEXT, Answer, context_of, run


@pytest.mark.parametrize(
    ("answer", "context"),
    [
        (Answer(code=0, output="prod\n"), "prod"),
        (Answer(code=0, output=f"{OWN_CONTEXT}\n"), OWN_CONTEXT),
        (Answer(code=255, error="configuration key 'cluster.context' not found"), OWN_CONTEXT),
    ],
    ids=["named", "ours", "none named"],
)
def test_the_context_is_the_one_that_the_stacks_settings_name(answer: Answer, context: str) -> None:
    assert context_of("prod", lambda _words: answer) == context


def test_a_missing_program_is_an_answer_and_no_exception() -> None:
    answer = run(["bin/no-such-program"])
    assert answer.code == 127
    assert "no-such-program" in answer.last_words()


def test_what_a_command_prints_is_read_apart_from_its_errors() -> None:
    program = "import sys; print('{\"a\": 1}'); print('oh', file=sys.stderr); sys.exit(3)"
    answer = run([sys.executable, "-c", program])
    assert (answer.code, answer.json(), answer.last_words()) == (3, {"a": 1}, "oh")
