"""The networks are those of the paper: their outputs, their sizes, and one convention for what they are given."""

import pytest
import torch

from edm import networks, presets
from edm.networks import official
from edm.networks.settings import Architecture
from tests.official import C_NOISE, CLASSES, GOLDEN, inputs, tensors

TINY = {"in_channels": 3, "resolution": 16, "channels": 8, "channel_mult": (1, 2), "blocks": 1, "attention": (8,)}
IMAGES = [name for name, network in networks.NETWORKS.items() if network.images]


def golden(kind):
    """The network of the golden files, with its weights."""
    name, config = official.configuration(CLASSES[kind], GOLDEN[kind]["config"])
    assert name == kind
    return official.filled(networks.build(name, **config), tensors(kind))


def random(name, **config):
    """A network whose last layer gives something, too."""
    torch.manual_seed(0)
    network = networks.build(name, **config)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(torch.randn_like(value), alpha=0.1 if networks.NETWORKS[name].images else 0.4)
    return network


def example(batch=3):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 3, 16, 16, generator=generator), torch.randn(batch, generator=generator)


@pytest.mark.parametrize("condition", ["output", "output_without_augment"])
@pytest.mark.parametrize("kind", GOLDEN)
def test_outputs_are_the_golden_ones(kind, condition):
    x, c_noise, labels, augment = inputs(kind)
    with torch.no_grad():
        output = golden(kind)(x, c_noise, labels, augment if condition == "output" else None)
    values = output.reshape(-1)[:: 7 if condition == "output" else 37]
    torch.testing.assert_close(values, torch.tensor(GOLDEN[kind][condition]), rtol=0, atol=1e-4)
    if condition == "output":
        assert output.mean().item() == pytest.approx(GOLDEN[kind]["output_mean"], abs=1e-5)
        assert output.std().item() == pytest.approx(GOLDEN[kind]["output_std"], abs=1e-4)


@pytest.mark.parametrize("kind", GOLDEN)
def test_each_published_name_has_one_place_and_each_place_one_name(kind):
    network = golden(kind)
    published = {official.our_name(name): name for name in tensors(kind) if not name.endswith("resample_filter")}
    assert set(published) == set(network.state_dict())
    assert len(published) == sum(not name.endswith("resample_filter") for name in tensors(kind))
    assert networks.parameters(network) == GOLDEN[kind]["count"]
    filters = {name for name in GOLDEN[kind]["buffers"] if name.endswith("resample_filter")}
    assert {official.our_name(name) for name in filters} == {None}
    first, *rest = published.values()
    with pytest.raises(ValueError, match="there are no values for"):
        official.filled(network, {name: value for name, value in tensors(kind).items() if name in rest})
    with pytest.raises(ValueError, match="no place for the tensor 'map_layer9"):
        official.filled(network, {**tensors(kind), "map_layer9.bias": tensors(kind)[first]})


@pytest.mark.parametrize(
    ("preset", "classes", "augment_dim", "count"),
    [
        ("cifar10_conditional_vp", 10, 9, 55_735_299),
        ("cifar10_unconditional_vp", 0, 0, 55_732_739),
        ("cifar10_conditional_ve", 10, 9, 56_400_643),
        ("ffhq64", 0, 9, 61_805_571),
        ("afhqv2_64", 0, 9, 61_805_571),
        ("imagenet64", 1000, 0, 295_899_267),
    ],
)
def test_networks_of_the_recipes_have_as_many_parameters_as_the_paper_s(preset, classes, augment_dim, count):
    recipe = presets.read(f"training/{preset}")["training"]
    sizes = Architecture.parse(recipe["architecture"]).model_dump()
    sizes |= {"in_channels": 3, "resolution": recipe["data"].get("resolution", 32)}
    with torch.device("meta"):
        network = networks.build(sizes.pop("network"), **sizes, classes=classes, augment_dim=augment_dim)
    assert networks.parameters(network) == count


@pytest.mark.parametrize("name", networks.NETWORKS)
@pytest.mark.parametrize("out_channels", [None, 6])
def test_what_comes_out_has_the_shape_of_what_goes_in(name, out_channels):
    images = networks.NETWORKS[name].images
    config = TINY if images else {"in_channels": 3, "channels": 8, "blocks": 2}
    network = networks.build(name, **config, out_channels=out_channels, classes=4, augment_dim=9)
    x, c_noise = example()
    x = x if images else x[:, :, 0, 0]
    output = network(x, c_noise, torch.tensor([0, 3, -1]), torch.zeros(3, 9))
    assert output.shape == (3, out_channels or 3, *x.shape[2:])
    assert output.dtype == network.dtype == torch.float32
    assert not network.training


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_conditions_follow_one_convention(name):
    images = networks.NETWORKS[name].images
    config = TINY if images else {"in_channels": 3, "channels": 8, "blocks": 2}
    network = random(name, **config, classes=4, augment_dim=9)
    x, c_noise = example()
    x = x if images else x[:, :, 0, 0]
    labels, augment = torch.tensor([0, 3, 1]), torch.ones(3, 9)
    with torch.no_grad():
        plain = network(x, c_noise)
        one = network(x, c_noise[:1], labels, augment)
        torch.testing.assert_close(one, network(x, c_noise[:1].expand(3), labels, augment), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(network(x, c_noise[:1]), network(x, c_noise[:1].expand(3)), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(network(x, c_noise, torch.full((3,), -1)), plain, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(network(x, c_noise, None, torch.zeros(3, 9)), plain, rtol=1e-5, atol=1e-5)
        mixed = network(x, c_noise, torch.tensor([-1, 3, -1]))
        torch.testing.assert_close(mixed[::2], plain[::2], rtol=1e-4, atol=1e-4)
        others = [mixed, network(x, c_noise, labels), network(x, c_noise, None, augment), network(x, 2 * c_noise)]
    assert all((other - plain)[1].abs().max() > 1e-3 for other in others)


@pytest.mark.parametrize("name", IMAGES)
def test_the_layout_of_memory_does_not_matter(name):
    network = random(name, **TINY)
    x, c_noise = example()
    with torch.no_grad():
        contiguous = network(x, c_noise)
        last = network(x.contiguous(memory_format=torch.channels_last), c_noise)
        strided = network(x.transpose(2, 3).contiguous().transpose(2, 3), c_noise)
    torch.testing.assert_close(last, contiguous, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(strided, contiguous, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_samples_of_a_batch_do_not_see_each_other(name):
    images = networks.NETWORKS[name].images
    network = random(name, **(TINY if images else {"in_channels": 3, "channels": 8, "blocks": 2}))
    x, c_noise = example()
    x = x if images else x[:, :, 0, 0]
    with torch.no_grad():
        torch.testing.assert_close(network(x, c_noise)[1:2], network(x[1:2], c_noise[1:2]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_a_fresh_network_gives_almost_nothing(name):
    images = networks.NETWORKS[name].images
    torch.manual_seed(0)
    network = networks.build(name, **(TINY if images else {"in_channels": 3, "channels": 8}))
    x, c_noise = example()
    assert network(x if images else x[:, :, 0, 0], c_noise).abs().max() < 1e-2


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("ddpmpp", {"channels": 12, "channel_mult": (1, 2), "resolution": 8}),
        ("ncsnpp", {"channels": 12, "channel_mult": (1, 2), "resolution": 8}),
        ("adm", {"channels": 12, "channel_mult": (1, 2), "resolution": 8}),
        ("mlp", {"channels": 96, "blocks": 3, "resolution": None}),
    ],
)
def test_networks_can_be_as_small_as_100_000_parameters(name, config):
    config = {"in_channels": 1, "blocks": 1, **config}
    network = networks.build(name, **config)
    assert 5e4 < networks.parameters(network) < 1.6e5
    assert torch.isfinite(network(torch.zeros(2, 1, 8, 8) if name != "mlp" else torch.zeros(2, 1), C_NOISE)).all()


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("vit", {}, "there is no network 'vit'; there are mlp, ddpmpp, ncsnpp, adm"),
        ("adm", {"resolution": 17}, "resolution = 17 cannot be halved 1 times"),
        ("adm", {"resolution": 2, "channel_mult": (1, 1, 1)}, "resolution = 2 cannot be halved 2 times"),
        ("ddpmpp", {"resolution": None}, "resolution = None"),
        ("ddpmpp", {"channel_mult": ()}, r"channel_mult = \[\]: must be one multiplier"),
        ("ddpmpp", {"channel_mult": (1, 0)}, r"channel_mult = \[1, 0\]"),
        ("ncsnpp", {"channels": 10}, "channels = 10: must be a multiple of 4"),
        ("ncsnpp", {"channels": 0}, "channels = 0: must be a multiple of 4"),
        ("mlp", {"channels": 6}, "channels = 6"),
        ("mlp", {"blocks": 0}, "blocks = 0"),
        ("adm", {"dropout": 1.0}, "dropout = 1.0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_in_a_sentence(name, changes, words):
    with pytest.raises(ValueError, match=words):
        networks.build(name, **{**TINY, **changes})


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("ddpmpp", {"embedding_type": "fourier"}, "neither DDPM.. nor NCSN.."),
        ("ddpmpp", {"channel_mult_emb": 2}, "channel_mult_emb must be 4"),
        ("adm", {"heads": 3}, "arguments that are unknown here: heads"),
    ],
)
def test_published_networks_that_are_none_of_ours_are_refused(kind, changes, words):
    with pytest.raises(ValueError, match=words):
        official.configuration(CLASSES[kind], {**GOLDEN[kind]["config"], **changes})
    with pytest.raises(ValueError, match="no network of class 'UNet'"):
        official.configuration("UNet", GOLDEN[kind]["config"])


def test_heads_groups_and_widths_are_settings_of_networks_of_images():
    sizes = {**TINY, "channels": 16, "attention": (16, 8)}
    network = networks.build("adm", **sizes | {"channel_mult": (0.5, 1)}, stem=8, heads=2, decoder_heads=4, groups=4)
    modules = dict(network.named_modules())
    heads = {name: module.heads for name, module in modules.items() if name.endswith("attention")}
    assert {count for name, count in heads.items() if "decoder" in name and "_in" not in name} == {4}
    assert {count for name, count in heads.items() if "encoder" in name or "_in" in name} == {2}
    assert {module.num_groups for module in modules.values() if isinstance(module, torch.nn.GroupNorm)} == {4}
    widths = {modules[name].out_channels for name in ("encoder.16x16_conv", "encoder.16x16_block0.conv1")}
    assert widths == {8} and modules["embedding.layer1"].out_features == 64
    by_width = networks.build("adm", **sizes, head_channels=8)
    assert by_width.get_submodule("encoder.16x16_block0.attention").heads == 2
    for wrong, words in {
        "heads": "heads = 3: must divide the 16 channels",
        "groups": "groups = 3: must divide the 16 channels",
    }.items():
        with pytest.raises(ValueError, match=words):
            networks.build("adm", **sizes, **{wrong: 3})
    with pytest.raises(ValueError, match=r"channel_mult = \[0.3, 1\]: widths of"):
        networks.build("adm", **sizes | {"channel_mult": (0.3, 1)})
