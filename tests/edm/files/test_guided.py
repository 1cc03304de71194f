"""guided-diffusion's files become models of ours: they compute what they did, and what does not fit is told."""

import json
import zipfile

import pytest
import torch

import edm
from edm import networks, respacing
from edm.__main__ import main
from edm.files.convert import convert, convert_file
from edm.networks import guided
from edm.networks.guided_flags import PUBLISHED
from tests.adm import NETWORKS, TIMES, flags, tensors, waves

UNETS = [name for name, golden in NETWORKS.items() if golden["kind"] != "EncoderUNetModel"]


def written(folder, name, content=None, **options):
    """A file of torch.save."""
    path = folder / f"{name}.pt"
    torch.save(tensors(name) if content is None else content, path, **options)
    return path


def loaded(folder, name, **changes):
    """A golden network from its file."""
    out = folder / f"{name}.safetensors"
    convert_file(written(folder, name), out, flags(name, **changes))
    return edm.load(out)


def inputs(name):
    """(x of the networks, the levels, labels) of the golden outputs."""
    config = NETWORKS[name]["config"]
    classes = config.get("num_classes")
    labels = None if not classes else [(2 * b + 1) % classes for b in range(2)]
    return waves(0.37, 2, 3, config["image_size"], config["image_size"]), respacing.table(False)[[*TIMES]], labels


@pytest.mark.parametrize("name", UNETS)
def test_a_converted_network_is_the_original_s_denoiser(tmp_path, name):
    denoiser = loaded(tmp_path, name)
    x, sigmas, labels = inputs(name)
    golden = torch.zeros(NETWORKS[name]["output_shape"]).reshape(-1)
    golden[::7] = torch.tensor(NETWORKS[name]["output"])
    known = torch.zeros_like(golden).index_fill(0, torch.arange(0, len(golden), 7), 1).bool()
    golden, known = (value.view(NETWORKS[name]["output_shape"]) for value in (golden, known))
    levels = torch.tensor(sigmas)
    unscaled = x * (1 + levels**2).sqrt().float().view(-1, 1, 1, 1)
    if denoiser.header.low is not None:
        side = denoiser.header.low.resolution
        denoiser = denoiser.given(waves(0.53, 2, 3, side, side), 0.0)
    found = denoiser(unscaled, levels, labels)
    told = (unscaled - found) / levels.float().view(-1, 1, 1, 1)
    torch.testing.assert_close(told[known[:, :3]], golden[:, :3][known[:, :3]], rtol=1e-4, atol=2e-4)


def test_a_converted_classifier_tells_what_the_original_did_with_its_gradient(tmp_path):
    golden, classifier = NETWORKS["classifier"], loaded(tmp_path, "classifier")
    assert classifier.header.kind == "classifier"
    x, sigmas, _ = inputs("classifier")
    levels, labels = torch.tensor(sigmas), [(2 * b + 1) % classifier.classes for b in range(2)]
    unscaled = (x * (1 + levels**2).sqrt().float().view(-1, 1, 1, 1)).requires_grad_()
    told = classifier.log_probability(unscaled, levels)
    expected = torch.log_softmax(torch.tensor(golden["logits"]).view(2, -1), dim=1)
    torch.testing.assert_close(told, expected, rtol=0, atol=3e-5)
    (gradient,) = torch.autograd.grad(told[[0, 1], labels].sum(), unscaled)
    scaled = gradient * (1 + levels**2).sqrt().float().view(-1, 1, 1, 1)  # in the x that the network sees
    torch.testing.assert_close(scaled.flatten()[::7], torch.tensor(golden["gradient"]), rtol=0, atol=3e-5)


COUNTS = {  # parameters of the published networks
    "64x64_diffusion": 295_904_454, "128x128_diffusion": 421_529_606, "256x256_diffusion": 553_838_086,
    "256x256_diffusion_uncond": 552_814_086, "lsun_cat": 552_814_086, "512x512_diffusion": 558_997_638,
    "64_256_upsampler": 311_795_910, "128_512_upsampler": 308_835_270, "64x64_classifier": 65_438_568,
    "128x128_classifier": 42_568_040, "256x256_classifier": 54_096_360, "512x512_classifier": 54_448_360,
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_file_is_known_by_its_name_and_its_sizes(name):
    flags = PUBLISHED[name]
    stem, channels = int(flags.channel_mult[0] * flags.model_channels), 6 if flags.low else 3
    shapes = {guided.FIRST: (stem, channels, 3, 3), guided.TIME: (0, flags.model_channels), guided.LAST: (6,)}
    config = guided.configuration(flags, {**shapes, guided.LABEL: (flags.classes,)})
    with torch.device("meta"):
        assert networks.parameters(networks.build(**config)) == COUNTS[name]


def test_a_file_is_read_as_every_torch_and_precision_has_written_it(tmp_path):
    content, (_, first) = tensors("unet_legacy"), convert(written(tmp_path, "unet_legacy"), flags("unet_legacy"))
    old = written(tmp_path, "unet_legacy", _use_new_zipfile_serialization=False)
    assert all(torch.equal(tensor, first[name]) for name, tensor in convert(old, flags("unet_legacy"))[1].items())
    for dtype in (torch.float16, torch.bfloat16):
        low = written(tmp_path, "unet_legacy", {name: tensor.to(dtype) for name, tensor in content.items()})
        found = convert(low, flags("unet_legacy"))[1]
        name = "ema0/embedding.layer0.bias"
        assert torch.equal(found[name], first[name].to(dtype).float())


TEXTS = {"attention_resolutions": "8,4", "channel_mult": "1,2,3", "num_res_blocks": "2", "class_cond": "False"}
TEXTS |= {"use_new_attention_order": "False", "learn_sigma": "True", "num_channels": "32", "image_size": 16}
TEXTS |= {"num_heads": 4, "num_head_channels": "16", "noise_schedule": "cosine", "use_fp16": "True"}


def test_flags_may_be_written_as_the_scripts_have_them(tmp_path, capsys):
    path, told = written(tmp_path, "unet_legacy"), tmp_path / "flags.json"
    told.write_text(json.dumps(TEXTS))
    assert main(["convert", str(path), "--architecture", str(told)]) == 0
    assert "adm with preconditioning iddpm, 3×16×16 -> " in capsys.readouterr().out
    _, tensors = convert(path, flags("unet_legacy"))
    assert all(torch.equal(value, tensors[name]) for name, value in convert(path, TEXTS)[1].items())
    out = tmp_path / "unet_legacy.safetensors"
    assert main(["info", str(out)]) == 0
    told = "adm with preconditioning iddpm, samples of 3×16×16, with a variance of its own"
    assert told in capsys.readouterr().out
    options = ["--discretization", "adm_cosine", "--respacing", "ddim2", "--count", "1", "--device", "cpu"]
    assert main(["sample", "--model", str(out), "--out", str(tmp_path / "a.png"), *options]) == 0


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("unet_new", {"model_channels": 64}, "model_channels is 64, but 32 in the file; mend --architecture"),
        ("unet_new", {"channel_mult": [2, 2]}, "channel_mult[0]·model_channels is 64, but 32 in the file"),
        ("unet_new", {"channel_mult": [1, 3]}, "its tensor input_blocks.3.0.in_layers.2.weight has shape [64"),
        ("unet_new", {"channel_mult": "1,2,2"}, "its flags ask for 199 tensors, and it has 145: the file lacks"),
        ("unet_new", {"channel_mult": ""}, "channel_mult is empty, which stands for those of image_size 64, 128"),
        ("unet_new", {"num_res_blocks": 2}, "tensors, and it has"),
        ("unet_new", {"num_classes": None}, "num_classes = None: the network in the file is conditional on 5 classes"),
        ("unet_new", {"out_channels": 3}, "out_channels is 3, but 6 in the file"),
        ("unet_new", {"learn_sigma": "false"}, "out_channels is 3, but 6 in the file"),
        ("unet_new", {"num_head_channels": 24}, "num_head_channels = 24: must divide attention's 64 channels"),
        ("unet_new", {"num_head_channels": -1}, "the architecture lacks num_heads, or num_head_channels"),
        ("unet_new", {"use_scale_shift_norm": False}, "use_scale_shift_norm = False: networks here have True only"),
        ("unet_new", {"resblock_updown": "False"}, "resblock_updown = 'False': networks here have True only"),
        ("unet_new", {"predict_xstart": True}, "predict_xstart = True: networks here have False only"),
        ("unet_new", {"noise_schedule": "sqrt"}, "noise_schedule = 'sqrt': must be linear or cosine"),
        ("unet_new", {"noise_schedule": ...}, "the architecture lacks noise_schedule"),
        ("unet_new", {"num_head_chanels": 8}, "'num_head_chanels', which is no flag; is it num_head_channels?"),
        ("unet_legacy", {"num_classes": 5}, "num_classes = 5: the network in the file is not conditional"),
        ("superres", {"in_channels": 4}, "in_channels = 4: the network in the file has 6"),
    ],
)
def test_flags_that_do_not_fit_the_file_are_named(tmp_path, name, changes, words):
    told = {key: value for key, value in flags(name, **changes).items() if value is not ...}
    with pytest.raises(ValueError, match="cannot be converted: ") as refused:
        convert(written(tmp_path, name), told)
    assert words in str(refused.value)


def test_a_file_says_what_it_is_where_it_cannot_be_read(tmp_path):
    content = tensors("unet_new")
    strange = {f"model.{name}": value for name, value in content.items()}
    older = {**content, "input_blocks.2.0.op.weight": torch.zeros(32, 32, 3, 3)}
    plain = {**content, "input_blocks.1.0.emb_layers.1.weight": torch.zeros(32, 128)}
    endless = {**content, "out.2.bias": torch.full((6,), float("nan"))}
    files = {
        "mine": (content, "its name is not that of a published one (64x64_diffusion, "),
        "256x256_diffusion": (
            content,
            "model_channels is 256, but 32 in the file; it is not 256x256_diffusion.pt, or dam",
        ),
        "strange": (strange, "weights without the network they belong to"),
        "older": (older, "it resamples by convolutions of their own (input_blocks.2.0.op.weight)"),
        "plain": (plain, "it was trained with use_scale_shift_norm False"),
        "optimizer": ({"state": content, "param_groups": []}, "but state, param_groups: take the one of its weights"),
        "endless": (endless, "are not all finite numbers"),
        "words": ({**content, "step": 3}, "it does not hold tensors by name alone, but step"),
    }
    for name, (held, words) in files.items():
        with pytest.raises(ValueError, match="cannot be converted: ") as refused:
            convert(written(tmp_path, name, held), flags("unet_new") if name == "endless" else None)
        assert words in str(refused.value), name


def test_a_file_that_is_cut_off_or_holds_a_program_is_refused(tmp_path):
    told, torn = flags("unet_new"), tmp_path / "torn.pt"
    for zipped in (True, False):
        whole = written(tmp_path, "unet_new", _use_new_zipfile_serialization=zipped).read_bytes()
        for size in (3 * len(whole) // 4, len(whole) - 9):
            torn.write_bytes(whole[:size])
            with pytest.raises(ValueError, match="get it again"):
                convert(torn, told)

    class Program:
        def __reduce__(self):
            return exec, ("raise SystemExit",)

    for zipped in (True, False):
        path = written(
            tmp_path, "program", {**tensors("unet_new"), "x": Program()}, _use_new_zipfile_serialization=zipped
        )
        with pytest.raises(ValueError, match=r"it calls '.*exec', which no such file needs"):
            convert(path, told)
    with zipfile.ZipFile(written(tmp_path, "unet_new")) as archive, zipfile.ZipFile(torn, "w", 8) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    with pytest.raises(ValueError, match="its numbers are packed"):
        convert(torn, told)


def test_the_paper_s_files_take_no_flags(tmp_path):
    from tests.official import small, written

    with pytest.raises(ValueError, match="it is the paper's, and says its own; leave it out"):
        convert(written(tmp_path, small), flags("unet_new"))
