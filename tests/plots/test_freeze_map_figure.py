"""The map of what learns when: a cell per layer, or per block where there are many."""

from cnnlab.plots.freeze_map import freeze_map, freeze_map_info, freeze_map_summary

STAGES = [
    {"title": "Classifier", "first_epoch": 1, "last_epoch": 1},
    {"title": "All layers", "first_epoch": 2, "last_epoch": 9},
]


def layer(name, params, *factors, origin="taken", block=""):
    told = {"name": name, "kind": "Conv2D", "block": block or name, "num_params": params}
    return told | {"origin": origin, "reason": "", "factors": list(factors)}


def small():
    return {"stages": STAGES, "layers": [layer("c1", 100, 0.0, 0.05), layer("c3", 200, 0.0, 0.1),
                                         layer("logits", 30, 1.0, 1.0, origin="new")]}  # fmt: skip


def test_a_cell_per_layer_and_stage():
    figure = freeze_map(freeze_map_info(small()))
    drawn = {
        trace.name: [(x, round(base, 2)) for x, base in zip(trace.x, trace.base, strict=True)]
        for trace in figure.data
        if trace.type == "bar"
    }
    assert drawn == {
        "New, whole rate": [("logits", -0.43), ("logits", 0.57)],
        "Taken, learns on": [("c1", 0.57), ("c3", 0.57)],
        "Taken, stays": [("c1", -0.43), ("c3", -0.43)],
    }
    written = figure.data[-1]
    assert list(zip(written.x, written.y, written.text, strict=True)) == [
        ("c1", 0, "–"), ("c3", 0, "–"), ("logits", 0, "×1"), ("c1", 1, "×0.05"), ("c3", 1, "×0.1"), ("logits", 1, "×1"),
    ]  # fmt: skip
    assert list(figure.layout.yaxis.ticktext) == ["Classifier<br>epoch 1", "All layers<br>epochs 2 to 9"]


def test_what_it_says():
    assert freeze_map_summary(freeze_map_info(small())) == (
        "3 layers with weights: 30 parameters are new, 300 taken ones learn on. Classifier, epoch 1: 300 stay."
    )


def test_many_layers_become_blocks_and_a_new_one_stays_apart():
    layers = [layer(f"b{place // 10}_{place}", 1, 0.0, 0.1, block=f"b{place // 10}") for place in range(40)]
    layers[5] = layer("b0_5", 1, 1.0, 1.0, origin="new", block="b0")
    cells = freeze_map_info({"stages": STAGES, "layers": layers}).cells
    assert [(len(cell.layers), cell.is_new) for cell in cells] == [
        (5, False), (1, True), (4, False), (10, False), (10, False), (10, False),
    ]  # fmt: skip
    assert len({cell.label for cell in cells}) == 6
