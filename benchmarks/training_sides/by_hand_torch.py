"""The same networks and steps written by hand in PyTorch, without Keras."""

import itertools
import sys

import torch
from torch import nn

from benchmarks.training_sides.task import LEARNING_RATE, MOMENTUM, NUM_CLASSES, task_from, timed


def lenet5() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, NUM_CLASSES),
    )  # fmt: skip


def vgg_small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(2304, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, NUM_CLASSES),
    )  # fmt: skip


class Block(nn.Module):
    """Two 3x3 convolutions and a skip, by a 1x1 convolution where the shape changes."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(),
            nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside),
        )  # fmt: skip
        self.shortcut = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(images) + self.shortcut(images))


def resnet() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    widths = [16] * 4 + [32] * 3 + [64] * 3
    for before, after in itertools.pairwise(widths):
        layers.append(Block(before, after, after // before))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, NUM_CLASSES))


NETWORKS = {"lenet5": lenet5, "vgg_small": vgg_small, "resnet": resnet}


def main(text: str) -> None:
    task = task_from(text)
    torch.manual_seed(0)
    pixels, labels = task.images()
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    targets = torch.from_numpy(labels).long()
    network = NETWORKS[task.architecture]().to(memory_format=torch.channels_last)
    mean = torch.tensor([125.3, 123.0, 113.9]).view(1, 3, 1, 1)
    std = torch.tensor([63.0, 62.1, 66.7]).view(1, 3, 1, 1)
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE, MOMENTUM, nesterov=True)
    loss_of = nn.CrossEntropyLoss()

    def epoch(_: int) -> None:
        order = torch.randperm(len(images))
        for start in range(0, len(images) - task.batch_size + 1, task.batch_size):
            rows = order[start : start + task.batch_size]
            batch = (images[rows].float() - mean) / std
            with torch.autocast("cpu", torch.bfloat16, enabled=task.precision == "bfloat16"):
                loss = loss_of(network(batch), targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    timed(task, epoch)


if __name__ == "__main__":
    main(sys.argv[1])
