"""The words of the lab, each in one sentence."""

import streamlit as st

WORDS = {
    "Kernel": "A small square of weights that slides over the input.",
    "Filter": "The kernels of all channels it sees together; it makes one feature map. A layer has K of them.",
    "Feature map": "The output of one filter: where in the image its pattern is, and how strongly.",
    "Stride S": "How many cells the window moves at a time. With 2 the output is half as wide.",
    "Padding P": "Zeros around the input. Valid: none. Same: the output is ⌈W/S⌉ wide; with a stride Keras may put "
    "one more below and right than above and left. Full: every overlap counts, so the output grows.",
    "Dilation D": "Gaps between the kernel's cells: it sees D(F − 1) + 1 cells with the same number of weights.",
    "Receptive field": "The cells of the image that one output cell depends on; it grows with every layer.",
    "Correlation and convolution": "A convolution turns the kernel by 180° first. Networks correlate and call it "
    "convolution: their kernels are learnt, so it makes no difference.",
    "Depthwise and separable": "Each channel by itself, then a 1×1 convolution that mixes them: nearly the same work "
    "for a fraction of the multiplications.",
    "Transposed convolution": "Every input cell stamps the kernel into a larger output; used to enlarge.",
    "Pooling": "The largest value or the mean of each window. It shrinks the map and has no weights.",
}


def draw_words() -> None:
    """Draw all words, folded away."""
    with st.expander("Words", icon=":material/menu_book:"):
        st.markdown("\n".join(f"- **{word}**: {meaning}" for word, meaning in WORDS.items()))
