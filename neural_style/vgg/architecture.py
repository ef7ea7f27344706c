"""The convolutions of VGG16 and VGG19."""

#: Convolutions in each of the five blocks (Simonyan and Zisserman 2015, columns D and E), and their
#: filters.
CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


FILTERS = (64, 128, 256, 512, 512)


def conv_layers(network):
    """{layer name: (3, 3, in, out)} of all the convolutions, in order."""
    shapes, channels = {}, 3
    for block, (count, filters) in enumerate(zip(CONVOLUTIONS[network], FILTERS), start=1):
        for conv in range(1, count + 1):
            shapes[f"block{block}_conv{conv}"] = (3, 3, channels, filters)
            channels = filters
    return shapes
