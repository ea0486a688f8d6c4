//! A headless Chromium for one test: [`Browser::open`], then thirtyfour's own calls on [`Browser::page`], and
//! [`Browser::close`] at the end. Each browser has a ChromeDriver of its own, which costs 10 ms and leaves no state
//! between tests.
//!
//! Surprising: size and colour scheme outlive a change of page, axe does not and is injected for each check.

mod accessibility;
mod driver;

use std::path::{Path, PathBuf};
use std::time::Duration;

use thirtyfour::ChromiumLikeCapabilities;
use thirtyfour::cdp::domains::emulation::{MediaFeature, SetEmulatedMedia};
use thirtyfour::prelude::*;

use driver::Driver;

/// `prefers-color-scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// The exact size of the page in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// A laptop's window.
pub const WIDE: Size = Size {
    width: 1280,
    height: 900,
};
/// A small telephone: the narrowest that a page must serve without scrolling sideways.
pub const NARROW: Size = Size {
    width: 360,
    height: 800,
};

/// One session of one browser.
pub struct Browser {
    /// What the test drives.
    pub page: WebDriver,
    _driver: Driver,
}

impl Drop for Browser {
    /// After a panic the session would try to end itself and block this thread for two minutes; the driver's end takes
    /// the session with it anyway.
    fn drop(&mut self) {
        let _ = self.page.clone().leak();
    }
}

impl Browser {
    /// Starts a browser: light, wide, without motion, trusting the certificates that test servers make for themselves.
    pub async fn open() -> WebDriverResult<Self> {
        let driver =
            Driver::start().expect("chromedriver (Debian: chromium-driver) must be installed");
        let mut wishes = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox", // needed as root; only our own pages are opened
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
        ] {
            wishes.add_arg(argument)?;
        }
        wishes.accept_insecure_certs(true)?;
        let page = WebDriver::new(driver.url(), wishes).await?;
        page.set_script_timeout(Duration::from_secs(20)).await?;
        let browser = Self {
            page,
            _driver: driver,
        };
        browser.size(WIDE).await?;
        browser.scheme(Scheme::Light).await?;
        Ok(browser)
    }

    /// Ends the session and the browser.
    pub async fn close(self) -> WebDriverResult<()> {
        self.page.clone().quit().await
    }

    /// Sets the size of the page, from now on and for the pages after it.
    pub async fn size(&self, size: Size) -> WebDriverResult<()> {
        let protocol = self.page.cdp();
        protocol
            .emulation()
            .set_device_metrics_override(size.width, size.height, 1.0, false)
            .await?;
        Ok(())
    }

    /// Sets the colour scheme that the reader prefers; motion stays reduced, so that nothing moves under a test.
    pub async fn scheme(&self, scheme: Scheme) -> WebDriverResult<()> {
        let feature = |name: &str, value: &str| MediaFeature {
            name: name.into(),
            value: value.into(),
        };
        let value = if scheme == Scheme::Dark {
            "dark"
        } else {
            "light"
        };
        let features = vec![
            feature("prefers-color-scheme", value),
            feature("prefers-reduced-motion", "reduce"),
        ];
        self.page
            .cdp()
            .send(SetEmulatedMedia {
                media: None,
                features: Some(features),
            })
            .await?;
        Ok(())
    }

    /// By how many pixels the page is wider than its window; a reader must never have to scroll sideways.
    pub async fn sideways_overflow(&self) -> WebDriverResult<u64> {
        let script = "return Math.max(0, document.documentElement.scrollWidth - innerWidth)";
        let answer = self.page.execute(script, vec![]).await?;
        Ok(answer.json().as_u64().expect("a number of pixels"))
    }

    /// Writes what is seen to `target/screenshots/{name}.png`, for people to look at.
    pub async fn screenshot(&self, name: &str) -> WebDriverResult<PathBuf> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(name).with_extension("png");
        std::fs::write(&file, self.page.screenshot_as_png().await?)?;
        Ok(file)
    }

    /// Fails with everything that [`Self::faults`] finds.
    pub async fn assert_fit_for_everyone(&self, name: &str) -> WebDriverResult<()> {
        let faults = self.faults(name).await?;
        assert!(
            faults.is_empty(),
            "the page is not fit for everyone:\n{}",
            faults.join("\n")
        );
        Ok(())
    }

    /// What keeps some readers from using the page: barriers that axe knows and scrolling sideways, looked for in light
    /// and dark, wide and narrow. Leaves a screenshot of each named after `name`, and the browser light and wide again.
    pub async fn faults(&self, name: &str) -> WebDriverResult<Vec<String>> {
        let mut faults = Vec::new();
        for (width, size) in [("wide", WIDE), ("narrow", NARROW)] {
            for (colours, scheme) in [("light", Scheme::Light), ("dark", Scheme::Dark)] {
                self.size(size).await?;
                self.scheme(scheme).await?;
                let view = format!("{name}-{width}-{colours}");
                self.screenshot(&view).await?;
                let overflow = self.sideways_overflow().await?;
                if overflow > 0 {
                    faults.push(format!("{view}: {overflow} pixels wider than the window"));
                }
                let barriers = self.barriers().await?;
                faults.extend(barriers.iter().map(|barrier| format!("{view}: {barrier}")));
            }
        }
        self.size(WIDE).await?;
        self.scheme(Scheme::Light).await?;
        Ok(faults)
    }
}
