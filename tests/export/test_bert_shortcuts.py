"""What a deployed BERT leaves out changes no answer."""

import pytest
import torch

from export.bert_shortcuts import FirstPositionLayer, with_shortcuts


@pytest.mark.parametrize("is_pair", [False, True])
def test_the_shorter_bert_answers_the_same(text_source_of, pieces, is_pair):
    source = text_source_of("bert", is_pair=is_pair)
    given = [torch.from_numpy(pieces[one.name]) for one in source.signature.inputs]
    shorter = with_shortcuts(source.module, is_pair=is_pair)
    with torch.inference_mode():
        (expected,), (found,) = source.module(*given), shorter(*given)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert isinstance(shorter.network.model.bert.encoder.layer[-1], FirstPositionLayer)


def test_the_student_itself_stays_as_it_is(text_source_of, pieces):
    source = text_source_of("bert")
    given = [torch.from_numpy(pieces[one.name]) for one in source.signature.inputs]
    with torch.inference_mode():
        (before,) = source.module(*given)
        with_shortcuts(source.module, is_pair=False)
        (after,) = source.module(*given)
    assert torch.equal(before, after)


@pytest.mark.parametrize("kind", ["mobilebert", "text-cnn", "mean-pooled"])
def test_other_kinds_are_left_alone(text_source_of, kind):
    source = text_source_of(kind)
    assert with_shortcuts(source.module, is_pair=False) is source.module
