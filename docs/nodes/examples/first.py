import amp_lab as amp

g = amp.Graph(sample_rate=48_000, name="switch")
low, high = g.sine(frequency_hz=110.0, name="low"), g.sine(frequency_hz=440.0, name="high")
choice = g.first(low, high, name="choice")
g.output(choice)
a = g.render(seconds=0.1)

for link in g.edges:  # give "high" the lowest slot: the other source is heard
    if link.dst == "choice":
        g.change(link, slot={"low": 2, "high": 0}[link.src])
b = g.render(seconds=0.1)
print(b.compare(a).passed)


def picture():
    """The same graph before and after its slots are swapped."""
    from drawing import signals

    heard = {"low has slot 0": a.audio[0, 0], "high has slot 0": b.audio[0, 0]}
    return signals({"choice": heard}, a.sample_rate, 0.02)
