"""neural-style weights."""


def _add_weights(commands):
    command = commands.add_parser(
        "weights",
        help="fetch the VGG weights ahead of time and tell which are in use",
        description="Fetch, verify and describe the VGG weights that transfer would use.",
    )
    command.add_argument("--network", choices=("vgg16", "vgg19"), default="vgg16")
    command.add_argument(
        "--weights", default="imagenet", help="imagenet (default), torchvision, or a file"
    )
    command.set_defaults(run=_weights)


def _weights(arguments, interrupts):
    from ..vgg.weights import vgg_weights

    found = vgg_weights(arguments.network, arguments.weights)
    print(
        f"network  {found.network}\nsource   {found.source}\nsha256   {found.sha256}\nfile    "
        f" {found.path}"
    )
    return 0
