"""Tokenizers that know a few words, letters or bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

transformers: Any = import_module("transformers")

LETTERS = "abcdefghijklmnopqrstuvwxyz' "
BYTES = tuple(sorted(pre_tokenizers.ByteLevel.alphabet()))
BLANK = "\u0120"
"""A blank, as tokenizers of bytes write it."""
PAD, END, START = "<pad>", "</s>", "<s>"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = """a about after all an and apple apples are at banana bicycle bird black blue boat book bridge building built
by can capital car cat chair city closed cold colour country date day dog door due example feel film food football for
from good green harbour harvest has height here house how in is it kettle lamp left library lighthouse live long look
love many mountain music night no of old on open opens or orchestra paper people photo picture piano plays politics
refund right river road room sea she sky sofa sports station street sun sunday table that the there this three ticket
time to total tree two until valid violin was water week what when where which white who window year yellow yes
you""".split()


def wordpiece(longest: int, words: Iterable[str] = WORDS) -> Any:
    """A tokenizer like BERT's, in lower case, for `words` (or pieces of words with ``##`` before them) and letters."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:;?!'\"()/%-"
    tokens = dict.fromkeys([*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *words])
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=longest,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{token[1:-1].lower()}_token": token for token in SPECIAL},
    )


def of_bytes(longest: int, *, wrapped: bool = False, words: Iterable[str] = ()) -> Any:
    """One token a byte, the marks `<pad>`, `</s>`, `<s>` and `words`; text is `wrapped` in marks for encoders."""
    vocabulary = {token: i for i, token in enumerate([PAD, END, START, *BYTES])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if wrapped:
        marks = [(START, vocabulary[START]), (END, vocabulary[END])]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{START} $A {END}", pair=f"{START} $A $B {END}", special_tokens=marks
        )
    tokenizer.add_tokens(list(words))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, bos_token=START, model_max_length=longest
    )


def of_marked_bytes(longest: int) -> Any:
    """A tokenizer of bytes like CLIP's: its last token ends a text, and pads it."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary = {token: i for i, token in enumerate(["!pad", *BYTES, start, end])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token=end))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=longest,
        bos_token=start,
        eos_token=end,
        pad_token=end,
        unk_token=end,
        model_input_names=["input_ids", "attention_mask"],
    )


def of_letters(longest: int) -> Any:
    """A tokenizer with one token a letter, and one for the end."""
    vocabulary = {token: i for i, token in enumerate([PAD, END, "<unk>", *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token="<unk>", model_max_length=longest
    )


def marks(tokenizer: Any) -> Mapping[str, int]:
    """The numbers of the marks of `tokenizer`, as configurations name them."""
    return {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}


def unreadable(tokenizer: Any) -> list[int]:
    """The numbers of the tokens that are no text on their own: marks but the last, pieces, and all but letters."""
    readable = {*"abcdefghijklmnopqrstuvwxyz", BLANK, tokenizer.eos_token}
    words = {token for token in tokenizer.get_vocab() if len(token) > 1 and token.isalpha()}
    return [number for token, number in tokenizer.get_vocab().items() if token not in readable | words]
