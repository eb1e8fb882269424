"""The embedding as a page to turn and point at, complete in itself."""

import pandas as pd
import plotly.graph_objects as go

from hyperribbon.figures.style import component_label, palette

_HOVER = (
    "<b>%{customdata[0]}</b><br>seed %{customdata[1]}, epoch %{customdata[2]:.3g}<br>"
    "loss %{customdata[3]:.4g} nats, error %{customdata[4]:.2%}<br>"
    "progress %{customdata[5]:.3f}<extra></extra>"
)


def explorer(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """First three InPCA coordinates; buttons switch between train and test."""
    figure = go.Figure()
    colours = palette(tables["models"]["network"])
    for split in ("train", "test"):
        shown = split == "train"
        models = tables["models"].query("split == @split")
        for name, group in models.groupby("network", sort=False):
            about = ["configuration", "seed", "epoch", "loss", "error", "progress"]
            figure.add_scatter3d(
                x=group["pc1"], y=group["pc2"], z=group["pc3"], mode="markers", name=name,
                marker={"size": 2.5, "color": colours[name]}, visible=shown, meta=split,
                customdata=group[about].to_numpy(object), hovertemplate=_HOVER,
            )  # fmt: skip
        curve = tables["geodesic"].query("split == @split")
        figure.add_scatter3d(
            x=curve["pc1"], y=curve["pc2"], z=curve["pc3"], mode="lines", name="geodesic",
            line={"color": "black", "width": 4}, visible=shown, meta=split,
            customdata=curve["alpha"], hovertemplate="geodesic, %{customdata:.2f}<extra></extra>",
        )  # fmt: skip
        for row, name, symbol in ((0, "ignorance", "square"), (-1, "truth", "diamond")):
            point = curve.iloc[[row]]
            figure.add_scatter3d(
                x=point["pc1"], y=point["pc2"], z=point["pc3"], mode="markers", name=name,
                marker={"size": 5, "color": "black", "symbol": symbol}, visible=shown, meta=split,
                hovertemplate=f"{name}<extra></extra>",
            )  # fmt: skip
    stress = tables["explained_stress"]
    buttons = []
    for split in ("train", "test"):
        explained = stress.query("split == @split and dimension == 3")["explained_stress"].iloc[0]
        title = f"{split} predictions: explained stress of three dimensions {explained:.0%}"
        axes = {f"{axis}axis.title.text": component_label(stress, split, k)
                for k, axis in enumerate("xyz", start=1)}  # fmt: skip
        scene = {f"scene.{key}": value for key, value in axes.items()}
        visible = [trace.meta == split for trace in figure.data]
        layout = {"title.text": title, **scene}
        buttons.append({"label": split, "method": "update", "args": [{"visible": visible}, layout]})
    figure.update_layout(
        template="plotly_white",
        legend={"itemsizing": "constant"},
        margin={"l": 0, "r": 0, "b": 0, "t": 60},
        scene={"aspectmode": "cube"},
        updatemenus=[
            {
                "type": "buttons",
                "direction": "right",
                "buttons": buttons,
                "x": 0.02,
                "y": 1.0,
                "xanchor": "left",
                "yanchor": "top",
            }
        ],
    )
    figure.update_layout(buttons[0]["args"][1])
    return figure
