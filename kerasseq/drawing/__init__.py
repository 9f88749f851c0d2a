"""Pictures of trainings, attention, alignments and captions, drawn by Matplotlib."""

from kerasseq.lazy import define_lazy_names

_MODULES = {
    "Trial": "kerasseq.drawing.trials",
    "draw_alignment": "kerasseq.drawing.alignment",
    "draw_attention": "kerasseq.drawing.attention",
    "draw_caption_sheet": "kerasseq.drawing.sheet",
    "draw_overlay": "kerasseq.drawing.overlay",
    "draw_survey": "kerasseq.drawing.survey",
    "draw_training_curves": "kerasseq.drawing.curves",
    "draw_trials": "kerasseq.drawing.trials",
    "measure_importance": "kerasseq.drawing.trials",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
