//! Opens the models of `gazeinfer` and exchanges them while frames flow.

use std::sync::Arc;
use std::time::Instant;

use glib::subclass::prelude::*;
use gst::prelude::*;

use super::engine_loader::{LoadedEngine, Opened};
use super::imp::{CAT, GazeInfer};
use super::settings::{EngineReload, Settings};
use crate::core::gaze::estimator::GazeEstimator;
use crate::engine::{Diagnostic, worker};
use crate::plugin::errors::ModelOpenError;
use crate::plugin::model;
use crate::plugin::model::Options;

impl GazeInfer {
    /// Uses the model that has been loaded, or begins to load the one that is due.
    pub(super) fn reload(&self, reload: EngineReload, engine: Option<&Arc<str>>) {
        let loaded = self.loader.lock().take();
        if let Some(LoadedEngine { engine, opened }) = loaded {
            model::report(&*self.obj(), &opened.diagnostics);
            match opened.result {
                Ok(estimator) => self.replace(engine, estimator),
                Err(why) => self.keep(engine, &why),
            }
            // `keep` may have changed the settings.
            return;
        }
        let follow = reload == EngineReload::File;
        if !self.loader.lock().is_due(engine, follow, Instant::now()) {
            return;
        }
        let mut settings = self.settings.lock().clone();
        settings.engine = engine.cloned();
        let options = Options { replaces: true, ..settings.options() };
        let begun =
            self.loader.lock().open(move |cancel| open(&settings, &Options { cancel, ..options }));
        if let Err(why) = begun {
            gst::element_imp_warning!(
                self,
                gst::CoreError::Thread,
                ("gazeinfer cannot start a thread to open the new engine, and the running one stays: {why}")
            );
        }
    }

    /// Runs this model from the next frame on.
    fn replace(&self, engine: Option<Arc<str>>, estimator: GazeEstimator) {
        let (model, provider) =
            (estimator.model_name().to_owned(), estimator.provider().to_owned());
        let old = self.stream.lock().as_mut().map(|stream| stream.replace(estimator));
        // Closing a session takes long, and the frame should not wait for it.
        if let Err(why) = worker::run(move || drop(old)) {
            gst::debug!(CAT, imp = self, "no thread closes the old engine, so this one did: {why}");
        }
        *self.provider.lock() = provider.clone();
        let shown = engine.as_deref().unwrap_or_default();
        gst::info!(CAT, imp = self, "'{shown}', a {model}, runs from now on, on {provider}");
        let structure = gst::Structure::builder("gaze-engine")
            .field("engine", engine.as_deref())
            .field("model", model)
            .field("execution-provider", provider)
            .build();
        self.loader.lock().accept();
        self.post(gst::message::Element::builder(structure).src(&*self.obj()).build());
    }

    /// Keeps the running model because the new one does not open, and sets the property back.
    fn keep(&self, engine: Option<Arc<str>>, why: &ModelOpenError) {
        let running = self.loader.lock().reject();
        let shown = running.as_deref().unwrap_or("the embedded model").to_owned();
        let reverted = {
            let mut settings = self.settings.lock();
            // Unless the property names yet another engine by now.
            let stale = settings.engine == engine && engine != running;
            if stale {
                settings.engine = running;
            }
            stale
        };
        gst::element_imp_warning!(
            self,
            gst::ResourceError::Settings,
            ("The engine was not replaced, and '{shown}' runs on: {}", why.text)
        );
        if reverted {
            self.obj().notify("engine");
        }
    }
}

/// Opens the model of the settings.
pub(super) fn open(settings: &Settings, options: &Options) -> Opened {
    let mut diagnostics = Vec::new();
    let result = estimator(settings, options, &mut diagnostics);
    Opened { result, diagnostics }
}

fn estimator(
    settings: &Settings,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<GazeEstimator, ModelOpenError> {
    let Some(engine) = settings.engine.as_deref() else {
        if settings.profile.is_some() {
            return Err(ModelOpenError::settings(
                "'profile' needs a model of your own: set 'engine' to its file, or clear 'profile'",
            ));
        }
        let estimator = model::open_embedded_gaze(options, diagnostics)?;
        gst::info!(
            CAT,
            "'engine' is unset: the embedded model ({}) runs on {}",
            estimator.model_name(),
            estimator.provider()
        );
        return Ok(estimator);
    };
    let profile = settings.profile.as_deref();
    let (estimator, source) = model::open_gaze(engine, profile, options, diagnostics)?;
    gst::info!(
        CAT,
        "'{engine}' is a {} ({source}) and runs on {}",
        estimator.model_name(),
        estimator.provider()
    );
    Ok(estimator)
}
