"""How much room each pane has, by the classes that `Panes` sets and by the width of the screen.

The rules select only columns and panes, so that a change of the classes restyles nothing inside a pane.
"""

RULES = """
    Panes { height: 1fr; }
    Panes Console, Panes ServerLog, Panes ReaderPane, Panes SegmentList, Panes HexView, Panes FieldTree,
    Panes DataInspector, Panes ExperimentPane, Panes LanesPane, Panes ViewRows { border-top: solid $foreground 30%; }
    Panes Console:focus-within, Panes ServerLog:focus, Panes ReaderPane:focus, Panes SegmentList:focus,
    Panes HexView:focus, Panes FieldTree:focus, Panes ExperimentPane:focus, Panes LanesPane:focus,
    Panes ViewRows:focus {
        border-top: heavy $accent; border-title-style: bold;
    }
    Panes #right { border-left: solid $foreground 30%; }
    Panes #left { width: 3fr; }
    Panes #right { width: 5fr; }
    Panes #console { height: 2fr; }
    Panes #log { height: 1fr; }
    Panes ServerLog { border-title-color: $foreground; }
    Panes #wire { height: 2fr; }
    Panes #bytes, Panes #experiment, Panes #picture { height: 3fr; }
    Panes #lanes { height: 2fr; }
    Panes #views { height: 4fr; }
    Panes #reader, Panes #load { display: none; }
    Panes.-lower-bytes { #experiment, #picture { display: none; } }
    Panes.-lower-experiment { #bytes, #picture { display: none; } }
    Panes.-lower-picture { #bytes, #experiment { display: none; } }

    .-narrow Panes, Panes.-whole {
        &.-wire, &.-lanes, &.-views { #bytes, #experiment, #picture { display: none; } }
        &.-wire { #lanes, #views { display: none; } }
        &.-lanes { #wire, #views { display: none; } }
        &.-views { #wire, #lanes { display: none; } }
        &.-bytes, &.-experiment, &.-picture { #wire, #lanes, #views { display: none; } }
    }
    .-narrow Panes {
        layout: vertical;
        PaneBar { display: block; }
        #left { width: 1fr; height: 1fr; }
        #right { width: 1fr; height: 1fr; border-left: none; }
        #console, #log, #wire, #bytes, #lanes, #views, #experiment, #picture { height: 1fr; }
        #log { display: none; }
        &.-lanes, &.-views, &.-experiment, &.-picture { #right { height: 2fr; } }
        &.-log { #right { display: none; } #log { display: block; } }
    }
    .-narrow Panes.-log PaneBar { display: none; }

    Panes.-reading {
        #left { width: 1fr; }
        #right { width: 2fr; }
        #wire, #bytes, #lanes, #views, #experiment, #picture { display: none; }
        #reader { display: block; }
    }
    .-narrow Panes.-reading {
        #left { width: 1fr; }
        #right { width: 1fr; height: 2fr; }
    }

    Panes.-load {
        #left { width: 1fr; }
        #right { width: 2fr; }
        #wire, #bytes, #lanes, #views, #experiment, #picture { display: none; }
        #load { display: block; }
    }
    .-narrow Panes.-load {
        #left { width: 1fr; }
        #right { width: 1fr; height: 3fr; }
    }

    Panes.-whole {
        PaneBar { display: none; }
        #right { border-left: none; }
        &.-console, &.-log { #right { display: none; } #left { width: 1fr; } }
        &.-console #log, &.-log #console { display: none; }
        &.-wire, &.-bytes, &.-lanes, &.-views, &.-experiment, &.-picture, &.-reader, &.-load {
            #left { display: none; }
        }
    }
"""
