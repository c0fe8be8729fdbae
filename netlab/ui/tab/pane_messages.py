"""What panes that come and go ask of their tab, passed to the part of it that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.ui.tab.panes import LabPanes

if TYPE_CHECKING:  # panes that come later, and what the tab is made of
    from netlab.ui.experiments.experiment_pane import ExperimentPane
    from netlab.ui.load.load_pane import LoadPane
    from netlab.ui.picture.picture_pane import PicturePane
    from netlab.ui.tab.experiments_and_lanes import ExperimentsAndLanes
    from netlab.ui.tab.intercepts import Intercepts
    from netlab.ui.tab.load_of_tab import LoadOfTab
    from netlab.ui.tab.views import Views
    from netlab.ui.views.views_pane import ViewsPane
    from netlab.ui.wire.intercepting.intercept_editor import ByteEditor


class PaneMessages(LabPanes):
    """Takes the messages of the panes that are not always there."""

    experiments_and_lanes: ExperimentsAndLanes
    intercepts: Intercepts
    views: Views
    load: LoadOfTab

    def on_byte_editor_applied(self, event: ByteEditor.Applied) -> None:
        """Replace the held bytes."""
        event.stop()
        self.intercepts.apply(event)

    def on_byte_editor_cancelled(self, event: ByteEditor.Cancelled) -> None:
        """Close the editor."""
        event.stop()
        self.intercepts.close()

    def on_experiment_pane_run_requested(self, event: ExperimentPane.RunRequested) -> None:
        """Run the experiment."""
        event.stop()
        self.experiments_and_lanes.run(event.experiment)

    def on_experiment_pane_backgrounded(self, event: ExperimentPane.Backgrounded) -> None:
        """Show what the experiment does on the wire."""
        event.stop()
        self.panes.go("wire")

    def on_experiment_pane_code_requested(self, event: ExperimentPane.CodeRequested) -> None:
        """Show the code in place of wire and bytes."""
        event.stop()
        self.experiments_and_lanes.show_code(event.experiment)

    def on_views_pane_chosen(self, event: ViewsPane.Chosen) -> None:
        """Show the bytes of the view."""
        event.stop()
        self.views.show(event)

    def on_picture_pane_row_highlighted(self, event: PicturePane.RowHighlighted) -> None:
        """Let the wire's cursor follow."""
        event.stop()
        self.wire.go_to(event.segment)

    def on_picture_pane_segment_wanted(self, event: PicturePane.SegmentWanted) -> None:
        """Go to the segment."""
        event.stop()
        self.wire.go_to(event.segment)
        self.panes.go("wire")

    def on_load_pane_again_requested(self, event: LoadPane.AgainRequested) -> None:
        """Run the same load."""
        event.stop()
        self.load.again(event.run)

    def on_load_pane_beside_requested(self, event: LoadPane.BesideRequested) -> None:
        """Run the same load on another model."""
        event.stop()
        self.load.beside(event.run)

    def on_load_pane_stop_requested(self, event: LoadPane.StopRequested) -> None:
        """Stop the load."""
        event.stop()
        self.load.stop()

    def on_load_pane_save_requested(self, event: LoadPane.SaveRequested) -> None:
        """Write the runs to a new file."""
        event.stop()
        self.load.save(event.name)

    def on_load_pane_forget_requested(self, event: LoadPane.ForgetRequested) -> None:
        """Remove the run."""
        event.stop()
        self.load.forget(event.run)
