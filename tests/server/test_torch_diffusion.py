"""Images and films by diffusion: what the pipelines of diffusers make of requests."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("diffusers", reason="diffusers is not installed")

import av
import diffusers
import numpy as np
import PIL.Image
import torch
from safetensors.torch import load_file, save_file

from inference_tasks import Client
from inference_tasks._runtime.torch import create_handler, diffusion
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._runtime.torch.film import mp4
from inference_tasks._tasks import TASKS
from inference_tasks.server import RequestProblem

from . import tiny_making as tiny
from .live import Serve, b64

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

DRAW, CHANGE, EITHER = "text-to-image", "image-to-image", "image-text-to-image"
FILM, MOVE, EITHER_FILM = "text-to-video", "image-to-video", "image-text-to-video"


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("pipelines")
    return {
        "stable": tiny.stable(root / "stable"),
        "instructed": tiny.instructed(root / "instructed"),
        "ltx": tiny.ltx(root / "ltx"),
        "enlarger": tiny.enlarger(root / "enlarger"),
    }


@pytest.fixture(scope="module")
def loaded(directories: dict[str, Path]) -> Callable[[str, str], Any]:
    """The handler of a task on one of the models, loaded once."""
    handlers: dict[tuple[str, str], Any] = {}

    def load(task: str, model: str) -> Any:
        if (task, model) not in handlers:
            handler = create_handler(TASKS[task], directories[model])
            handler.load()
            handlers[task, model] = handler
        return handlers[task, model]

    return load


Load = Callable[[str, str], Any]


def given(task: str, **values: Any) -> Any:
    return TASKS[task].parameters_class(**({"num_inference_steps": 2} | values))


def request(task: str, image: PIL.Image.Image | None = None, **values: Any) -> Any:
    payload: dict[str, Any] = {"parameters": {"num_inference_steps": 2, "seed": 1} | values}
    if image is not None:
        payload["inputs"] = b64(png(image))
    return TASKS[task].input_class.model_validate(payload)


def png(image: PIL.Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def picture(width: int = 32, height: int = 32, seed: int = 0) -> PIL.Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return PIL.Image.fromarray(pixels)


def pixels(made: Any) -> Any:
    image = made if isinstance(made, PIL.Image.Image) else made.image.image()
    return np.asarray(image).astype(int)


def same(one: Any, other: Any) -> bool:
    """Whether two images differ by no more than rounding."""
    return pixels(one).shape == pixels(other).shape and int(abs(pixels(one) - pixels(other)).max()) <= 1


def frames(answer: Any) -> tuple[list[Any], float]:
    with av.open(io.BytesIO(answer.video.data)) as container:
        stream = container.streams.video[0]
        return [np.asarray(frame.to_image()).astype(int) for frame in container.decode(stream)], stream.average_rate


def distance(one: Any, other: Any) -> float:
    """How much the brightness of pixels differs on average: a film keeps less of the colours."""
    return float(abs((one - other) @ np.array([0.299, 0.587, 0.114])).mean())


def blamed(call: Callable[[], Any]) -> str:
    with pytest.raises(RequestProblem) as caught:
        call()
    assert caught.value.status == 422
    return caught.value.fields[0].field


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------------------------------------ text to image


def test_prompts_go_together_as_they_go_alone_and_bad_ones_fail_alone(loaded: Load) -> None:
    draw, wanted = loaded(DRAW, "stable"), given(DRAW, seed=5)
    prompts = ["a cat", "the red dog", "x" * 31, "y" * 20_000, ""]
    answers = draw.batch(prompts, wanted)
    for index in (0, 1, 4):
        assert same(answers[index], draw(prompts[index], wanted))
    assert not same(answers[0], answers[1])
    for index in (2, 3):
        assert isinstance(answers[index], RequestProblem)
        assert answers[index].fields[0].field == "inputs"


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ({}, {}),
        ({"num_inference_steps": 3, "guidance_scale": 3.5}, {"num_inference_steps": 3, "guidance_scale": 3.5}),
        ({"negative_prompt": "dogs", "guidance_scale": 9.0}, {"negative_prompt": "dogs", "guidance_scale": 9.0}),
        ({"width": 48, "height": 24}, {"width": 48, "height": 24}),
        ({"height": 24}, {"width": 32, "height": 24}),
    ],
)
def test_images_are_those_of_diffusers(
    loaded: Load, directories: dict[str, Path], parameters: dict[str, Any], arguments: dict[str, Any]
) -> None:
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(directories["stable"], local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline("a cat", generator=seeded(7), **({"num_inference_steps": 2} | arguments)).images[0]
    ours = loaded(DRAW, "stable")("a cat", given(DRAW, seed=7, **parameters))
    assert same(ours, theirs)


def test_the_scheduler_is_the_one_named(loaded: Load, directories: dict[str, Path]) -> None:
    draw, steps = loaded(DRAW, "stable"), 5
    plain = draw("a cat", given(DRAW, seed=7, num_inference_steps=steps))
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(directories["stable"], local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = diffusers.HeunDiscreteScheduler.from_config(pipeline.scheduler.config)
    theirs = pipeline("a cat", generator=seeded(7), num_inference_steps=steps).images[0]
    named = given(DRAW, seed=7, num_inference_steps=steps, scheduler="HeunDiscreteScheduler")
    assert same(draw("a cat", named), theirs)
    assert not same(plain, theirs)
    again = draw("a cat", given(DRAW, seed=7, num_inference_steps=steps))
    assert same(again, plain), "the next request got the scheduler of this one"


@pytest.mark.parametrize(
    "changed",
    [{"seed": 2}, {"num_inference_steps": 4}, {"guidance_scale": 1.5}, {"negative_prompt": "dogs"}, {"width": 48}],
)
def test_every_parameter_changes_the_image(loaded: Load, changed: dict[str, Any]) -> None:
    draw = loaded(DRAW, "stable")
    assert same(draw("a cat", given(DRAW, seed=1)), draw("a cat", given(DRAW, seed=1)))
    assert not same(draw("a cat", given(DRAW, seed=1)), draw("a cat", given(DRAW, **({"seed": 1} | changed))))


def test_without_a_seed_every_image_is_another(loaded: Load) -> None:
    one, other = loaded(DRAW, "stable").batch(["a cat", "a cat"], given(DRAW))
    assert not same(one, other)
    assert not loaded(DRAW, "stable").deterministic


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"guidance_scale": 101.0}, "guidance_scale"),
        ({"width": 33}, "width"),
        ({"scheduler": "FlowMatchEulerDiscreteScheduler"}, "scheduler"),
        ({"scheduler": "os"}, "scheduler"),
    ],
)
def test_what_cannot_be_drawn_is_refused(loaded: Load, values: dict[str, Any], field: str) -> None:
    assert blamed(lambda: loaded(DRAW, "stable")("a cat", given(DRAW, **values))) == f"parameters.{field}"


def test_what_the_safety_checker_finds_is_withheld(tmp_path: Path) -> None:
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessorPil

    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    vision = {**small, "image_size": 16, "patch_size": 8}
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=8))
    checker.concept_embeds_weights.data.fill_(-1)  # everything is closer than that
    looking = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    options = {"safety_checker": checker, "feature_extractor": looking, "requires_safety_checker": True}
    draw = create_handler(TASKS[DRAW], tiny.stable(tmp_path / "checked", **options))
    draw.load()
    with pytest.raises(RequestProblem, match="safety checker"):
        draw("a cat", given(DRAW))


# ------------------------------------------------------------------------------------------------ image to image


def test_images_are_changed_in_their_own_size(loaded: Load) -> None:
    change = loaded(CHANGE, "stable")
    images = [picture(32, 24), picture(37, 21), picture(32, 24, seed=1), PIL.Image.new("RGB", (2100, 4))]
    answers = change.batch(images, given(CHANGE, prompt="a cat"))
    assert [pixels(answer).shape[:2] for answer in answers[:3]] == [(24, 32), (21, 37), (24, 32)]
    assert isinstance(answers[3], RequestProblem)
    assert answers[3].fields[0].field == "inputs"
    small = change(images[3], given(CHANGE, target_size={"width": 41, "height": 30}))
    assert pixels(small).shape == (30, 41, 3)


def test_as_many_steps_are_taken_as_are_asked_for(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    change = loaded(CHANGE, "stable")
    network = change.model.unet
    forward, taken = network.forward, []

    def counted(*values: Any, **options: Any) -> Any:
        taken.append(1)
        return forward(*values, **options)

    monkeypatch.setattr(network, "forward", counted)
    for steps in (1, 2, 5):
        taken.clear()
        change(picture(), given(CHANGE, num_inference_steps=steps))
        assert len(taken) == steps


def test_changed_images_are_those_of_diffusers(loaded: Load, directories: dict[str, Path]) -> None:
    pipeline = diffusers.StableDiffusionImg2ImgPipeline.from_pretrained(directories["stable"], local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    image = picture()
    arguments = {"guidance_scale": 4.0, "negative_prompt": "dogs", "strength": 0.8, "num_inference_steps": 5}
    theirs = pipeline("a cat", image=image, generator=seeded(1), **arguments).images[0]
    wanted = {"guidance_scale": 4.0, "negative_prompt": "dogs", "num_inference_steps": 4, "prompt": "a cat"}
    assert same(loaded(EITHER, "stable")(request(EITHER, image, **wanted)), theirs)


@pytest.mark.parametrize("changed", [{"prompt": "dogs"}, {"guidance_scale": 1.0}, {"negative_prompt": "dogs"}])
def test_every_parameter_changes_the_changed_image(loaded: Load, changed: dict[str, Any]) -> None:
    either, image = loaded(EITHER, "stable"), picture()
    plain = either(request(EITHER, image, prompt="a cat"))
    assert not same(plain, either(request(EITHER, image, **({"prompt": "a cat"} | changed))))


def test_requests_with_an_image_a_text_or_both_go_together(loaded: Load) -> None:
    either = loaded(EITHER, "stable")
    image = picture(24, 20)
    requests = [
        request(EITHER, prompt="a cat"),
        request(EITHER, image),
        request(EITHER, image, prompt="a cat", target_size={"width": 30, "height": 26}),
        request(EITHER, prompt="a cat", target_size={"width": 31, "height": 27}),
        TASKS[EITHER].input_class(inputs="AAAA"),
        request(EITHER, prompt="x" * 40),
        request(EITHER, image, guidance_scale=101.0),
    ]
    answers = either.batch(requests, None)
    assert [pixels(answer).shape[:2] for answer in answers[:4]] == [(32, 32), (20, 24), (26, 30), (27, 31)]
    for answer, one in zip(answers[:4], requests, strict=False):
        assert same(answer, either(one))
    fields = [answer.fields[0].field for answer in answers[4:]]
    assert fields == ["inputs", "parameters.prompt", "parameters.guidance_scale"]


def test_pipelines_that_need_an_image_say_so(loaded: Load, directories: dict[str, Path]) -> None:
    either = loaded(EITHER, "instructed")
    assert pixels(either(request(EITHER, picture(24, 20), prompt="a cat"))).shape == (20, 24, 3)
    assert blamed(lambda: either(request(EITHER, prompt="a cat"))) == "inputs"
    draw = create_handler(TASKS[DRAW], directories["instructed"])
    with pytest.raises(ModelDirectoryError, match="no pipeline of diffusers for text-to-image"):
        draw.load()
    film = create_handler(TASKS[FILM], directories["stable"])
    with pytest.raises(ModelDirectoryError, match="text-to-video"):
        film.load()


def test_images_are_enlarged(loaded: Load, directories: dict[str, Path]) -> None:
    from transformers import Swin2SRForImageSuperResolution

    enlarge = loaded(CHANGE, "enlarger")
    images = [picture(21, 13), picture(16, 16), picture(21, 13, seed=1)]
    plain = TASKS[CHANGE].parameters_class()
    answers = enlarge.batch(images, plain)
    model = Swin2SRForImageSuperResolution.from_pretrained(directories["enlarger"]).eval()
    for image, answer in zip(images, answers, strict=True):
        assert same(answer, enlarge(image, plain))
        padding = [(0, 8 - side % 8) for side in (image.height, image.width)]
        padded = np.pad(np.asarray(image) / 255, (*padding, (0, 0)), mode="symmetric")
        with torch.inference_mode():
            made = model(torch.tensor(padded, dtype=torch.float32).permute(2, 0, 1)[None]).reconstruction[0]
        expected = (made.clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()[: image.height * 2, : image.width * 2]
        assert abs(pixels(answer) - expected).max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": "a cat"},
        {"guidance_scale": 2.0},
        {"negative_prompt": "dogs"},
        {"num_inference_steps": 2},
        {"target_size": {"width": 100, "height": 100}},
    ],
)
def test_enlarging_takes_no_wishes(loaded: Load, values: dict[str, Any]) -> None:
    enlarge, (name,) = loaded(CHANGE, "enlarger"), values
    wanted = TASKS[CHANGE].parameters_class(**values)
    assert blamed(lambda: enlarge(picture(16, 16), wanted)) == f"parameters.{name}"
    fitting = TASKS[CHANGE].parameters_class(target_size={"width": 32, "height": 32})
    assert pixels(enlarge(picture(16, 16), fitting)).shape == (32, 32, 3)
    assert blamed(lambda: enlarge(PIL.Image.new("RGB", (1001, 1000)), TASKS[CHANGE].parameters_class())) == "inputs"


# ------------------------------------------------------------------------------------------------ films

SMALL = {"target_size": {"width": 32, "height": 32}, "num_frames": 9}


@pytest.fixture
def filmed(monkeypatch: pytest.MonkeyPatch) -> list[list[PIL.Image.Image]]:
    """The frames of each film before they are compressed."""
    films: list[list[PIL.Image.Image]] = []

    def compress(frames: list[PIL.Image.Image], rate: float) -> Any:
        films.append(frames)
        return mp4(frames, rate)

    monkeypatch.setattr(diffusion, "mp4", compress)
    return films


def test_films_are_those_of_diffusers(loaded: Load, directories: dict[str, Path], filmed: list[Any]) -> None:
    pipeline = diffusers.LTXPipeline.from_pretrained(directories["ltx"], local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    arguments = {"num_inference_steps": 2, "num_frames": 9, "width": 32, "height": 32, "guidance_scale": 2.0}
    theirs = pipeline("a cat", generator=seeded(1), negative_prompt="dogs", **arguments).frames[0]
    wanted = {"prompt": "a cat", "negative_prompt": "dogs", "guidance_scale": 2.0, **SMALL}
    answer = loaded(EITHER_FILM, "ltx")(request(EITHER_FILM, **wanted))
    assert all(same(one, other) for one, other in zip(filmed[0], theirs, strict=True))
    ours, rate = frames(answer)
    assert (len(ours), rate) == (9, 25)
    assert max(distance(one, pixels(other)) for one, other in zip(ours, theirs, strict=True)) < 8


@pytest.mark.parametrize("changed", [{"guidance_scale": 9.0}, {"negative_prompt": "dogs"}, {"num_inference_steps": 4}])
def test_every_parameter_changes_the_film(loaded: Load, changed: dict[str, Any], filmed: list[Any]) -> None:
    move = loaded(MOVE, "ltx")
    wanted = {"seed": 1, "prompt": "a cat", **SMALL}
    move(picture(), given(MOVE, **wanted))

    def changes(image: PIL.Image.Image, **values: Any) -> bool:
        move(image, given(MOVE, **(wanted | values)))
        return not all(same(one, other) for one, other in zip(filmed[0], filmed[-1], strict=True))

    assert not changes(picture())
    assert changes(picture(), **changed)
    assert changes(picture(), seed=2)
    assert changes(picture(), prompt="the red dog")
    assert changes(picture(seed=1))


@pytest.mark.parametrize(("count", "width", "height"), [(1, 32, 32), (4, 30, 22), (9, 64, 40)])
def test_films_have_the_frames_and_the_size_asked_for(loaded: Load, count: int, width: int, height: int) -> None:
    size = {"width": width, "height": height}
    for asked in (request(EITHER_FILM, prompt="x"), request(EITHER_FILM, picture(50, 40))):
        asked.parameters.num_frames = count
        asked.parameters.target_size = TASKS[EITHER_FILM].parameters_class(target_size=size).target_size
        made, _ = frames(loaded(EITHER_FILM, "ltx")(asked))
        assert [frame.shape for frame in made] == [(height, width, 3)] * count


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target_size": {"width": 31, "height": 32}}, "target_size.width"),
        ({"prompt": "x" * 33}, "prompt"),
    ],
)
def test_what_cannot_be_filmed_is_refused(loaded: Load, values: dict[str, Any], field: str) -> None:
    move = loaded(MOVE, "ltx")
    assert blamed(lambda: move(picture(), given(MOVE, **values))) == f"parameters.{field}"


@pytest.mark.parametrize("task", [MOVE, "image-text-to-video"])
def test_a_seed_makes_the_same_file_again(tmp_path: Path, task: str) -> None:
    """With the demo model, whose plain frames show what an encoder leaves to chance."""
    from inference_tasks._runtime.torch.demo import BUILDERS, build

    build(task, next(iter(BUILDERS[task])), tmp_path)
    make = create_handler(TASKS[task], tmp_path)
    make.load()

    def film(seed: int) -> str:
        values = {"seed": seed, "num_inference_steps": 1}
        answer = (
            make(picture(64, 64), given(task, **values))
            if task == MOVE
            else make(request(task, picture(64, 64), **values))
        )
        return str(answer.video)

    assert len({film(3) for _ in range(6)}) == 1
    assert film(3) != film(4)


def test_a_text_alone_makes_a_film(loaded: Load, monkeypatch: pytest.MonkeyPatch, filmed: list[Any]) -> None:
    film = loaded(FILM, "ltx")
    # The default is 512 x 704 pixels and 161 frames: too much for a test.
    monkeypatch.setattr(type(film.model), "__call__", _sized(type(film.model).__call__, 32))
    answers = film.batch(["a cat", "a dog", "x" * 33], given(FILM, num_frames=3, seed=1))
    assert [len(frames(answer)[0]) for answer in answers[:2]] == [3, 3]
    film("a cat", given(FILM, num_frames=3, seed=1))
    assert same(filmed[0][-1], filmed[2][-1])
    assert not same(filmed[0][-1], filmed[1][-1])
    assert answers[2].fields[0].field == "inputs"


def _sized(call: Any, side: int) -> Any:
    return lambda self, **options: call(self, **({"width": side, "height": side} | options))


# ------------------------------------------------------------------------------------------------ directories


@pytest.fixture
def copied(directories: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a pipeline, to be spoiled."""
    return shutil.copytree(directories["stable"], tmp_path / "copied")


def rewrite(directory: Path, **members: Any) -> None:
    path = directory / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | members))


@pytest.mark.parametrize(
    "members",
    [
        {"_class_name": ["evil", "Pipeline"]},
        {"_class_name": "os"},
        {"_class_name": "AutoencoderKL"},
        {"unet": ["evil", "Network"]},
        {"unet": ["diffusers", "StableDiffusionPipeline"]},
        {"text_encoder": ["transformers", "AutoModel"]},
        {"text_encoder": ["transformers", "pipeline"]},
        {"unet": [None, None]},
        {"../unet": ["diffusers", "UNet2DConditionModel"]},
        {"another": ["diffusers", "UNet2DConditionModel"]},
        {"unet": ["diffusers", "UNet2DConditionModel", "more"]},
    ],
)
def test_pipelines_of_other_code_are_refused(copied: Path, members: dict[str, Any]) -> None:
    (copied / "unet" / "evil.py").write_text("raise SystemExit('ran')")
    (copied / "evil.py").write_text("raise SystemExit('ran')")
    rewrite(copied, **members)
    with pytest.raises(ModelDirectoryError, match=str(copied)):
        create_handler(TASKS[DRAW], copied).load()


def test_code_beside_the_components_is_never_run(copied: Path) -> None:
    for name in ("diffusers.py", "pipeline.py", "StableDiffusionPipeline.py"):
        (copied / name).write_text("raise SystemExit('ran')")
        (copied / "unet" / name).write_text("raise SystemExit('ran')")
    draw = create_handler(TASKS[DRAW], copied)
    draw.load()
    assert pixels(draw("a cat", given(DRAW))).shape == (32, 32, 3)


def test_pickled_and_missing_weights_are_refused(copied: Path) -> None:
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    kept = load_file(weights)
    save_file({name: tensor for name, tensor in kept.items() if "conv_out" not in name}, weights)
    with pytest.raises(ModelDirectoryError, match="lacks weights"):
        create_handler(TASKS[DRAW], copied).load()
    torch.save(kept, copied / "unet" / "diffusion_pytorch_model.bin")
    weights.unlink()
    with pytest.raises(OSError, match="safetensors"):
        create_handler(TASKS[DRAW], copied).load()
    for folder in ("vae", "text_encoder"):
        for path in (copied / folder).glob("*.safetensors"):
            path.unlink()
    with pytest.raises(ModelDirectoryError, match="pickled weights"):
        create_handler(TASKS[DRAW], copied)
    shutil.rmtree(copied / "vae")
    with pytest.raises(ModelDirectoryError, match="lacks the folder vae"):
        create_handler(TASKS[DRAW], copied)
    (copied / "model_index.json").write_text("[]")
    with pytest.raises(ModelDirectoryError, match=r"model_index\.json"):
        create_handler(TASKS[DRAW], copied)


# ------------------------------------------------------------------------------------------------ over HTTP


def test_served_to_the_client(serve: Serve, loaded: Load) -> None:
    tasks = {DRAW: "stable", CHANGE: "enlarger", EITHER: "stable", MOVE: "ltx", EITHER_FILM: "ltx"}
    live = serve(*(loaded(task, model) for task, model in tasks.items()))
    with Client(live.url) as client:
        drawn = client.text_to_image("a cat", num_inference_steps=2, width=16, seed=1)
        assert drawn.image.image().size == (16, 32)
        assert client.image_to_image(png(picture(16, 16))).image.image().size == (32, 32)
        either = client.image_text_to_image(prompt="a cat", num_inference_steps=1, seed=3)
        assert either.image.image().size == (32, 32)
        options: dict[str, Any] = {"num_inference_steps": 1, **SMALL}
        assert len(frames(client.image_to_video(png(picture()), **options))[0]) == 9
        assert len(frames(client.image_text_to_video(prompt="a cat", **options))[0]) == 9
    refused = live.post("/tasks/text-to-image", json={"inputs": "x", "parameters": {"width": 33}})
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "parameters.width")
