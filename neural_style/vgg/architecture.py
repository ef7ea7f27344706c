"""The convolutions of VGG16 and VGG19.

Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
table 1, columns D and E.
"""

#: The number of convolutions in each of the five blocks.
CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}

#: The number of filters of each convolution in each of the five blocks.
FILTERS = (64, 128, 256, 512, 512)

#: What surrounds a convolution's input: zeros, as VGG was trained, but for the layers named here:
#: {padding: (mode of keras.ops.pad, how those layers' names begin)}. The first two blocks see
#: single pixels. To them, zeros are an edge that no painting has, and a result answers with two
#: rows of wrong colors.
PADDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "zeros": ("constant", ()),
    "reflect": ("reflect", ("block1", "block2")),
    "replicate": ("symmetric", ("block1_conv1",)),
}


def conv_layers(network: str) -> dict[str, tuple[int, int, int, int]]:
    """List the convolutions of a VGG and the shapes of their kernels.

    Args:
        network: "vgg16" or "vgg19".

    Returns:
        {Keras' layer name: (3, 3, channels in, channels out)}, from the first layer to the last.

    Raises:
        KeyError: the network is unknown.
    """
    shapes, channels = {}, 3
    for block, (count, filters) in enumerate(zip(CONVOLUTIONS[network], FILTERS), start=1):
        for conv in range(1, count + 1):
            shapes[f"block{block}_conv{conv}"] = (3, 3, channels, filters)
            channels = filters
    return shapes
