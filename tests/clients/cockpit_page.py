# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cockpit's page "Virtual machines" in a headless browser, for the tests that work it."""

import contextlib
import pathlib
import shutil
import socket

import pytest

from conftest import wait_for
from host import PATIENCE, host, needs  # noqa: F401

selenium = pytest.importorskip("selenium", reason="python3-selenium is missing")

from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

requirements = [needs("/usr/lib/cockpit/cockpit-ws", "cockpit-ws"), needs("/usr/bin/cockpit-bridge", "cockpit-bridge"),
                needs("/usr/share/cockpit/machines", "cockpit-machines"), needs("/usr/bin/chromium", "chromium"),
                needs("/usr/bin/chromedriver", "chromium-driver")]

BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
           "--window-size=1280,1000"]
# The bridge looks for a session bus as well; there is nothing on it.
SESSION = ('dbus-daemon --session --fork --address="$DBUS_SESSION_BUS_ADDRESS" && '
           'exec /usr/lib/cockpit/cockpit-ws --no-tls -a 127.0.0.1 -p "$0" --local-session=cockpit-bridge')


class Page:
    """The page, its elements by their ids: vm-NAME-system-run and the like."""

    def __init__(self, driver):
        self.driver = driver

    def attempt(self, action):
        """The value of @action; None while the page is being changed under it."""
        try:
            return action()
        except WebDriverException:
            return None

    def element(self, name):
        return wait_for(lambda: self.attempt(lambda: self.driver.find_element(By.ID, name)), f"element {name}")

    def click(self, name):
        wait_for(lambda: self.attempt(lambda: self.driver.find_element(By.ID, name).click() or True), f"click on {name}")

    def click_xpath(self, path):
        wait_for(lambda: self.attempt(lambda: self.driver.find_element(By.XPATH, path).click() or True), path)

    def fill(self, path, text):
        """Type @text into the field at @path, instead of what is in it."""
        def fill():
            field = self.driver.find_element(By.XPATH, path)
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(text)
            return field.get_attribute("value") == text

        wait_for(lambda: self.attempt(fill), f"{text!r} in {path}")

    def choose(self, name, text):
        wait_for(lambda: self.attempt(lambda: Select(self.driver.find_element(By.ID, name)).select_by_visible_text(text) or True),
                 f"{text!r} to choose in {name}")

    def goes(self, name):
        """Wait until there is no element @name: a dialog is done."""
        wait_for(lambda: self.attempt(lambda: self.driver.find_elements(By.ID, name)) == [], f"the end of {name}")

    def shows(self, name, text):
        """Wait until the element @name has @text in it."""
        wait_for(lambda: text in (self.attempt(lambda: self.driver.find_element(By.ID, name).text) or ""),
                 f"{text!r} in {name}")

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture
def page(host, tmp_path):
    for name in ("web", "mail"):
        host.virsh("define", "/dev/stdin", stdin=host.linux(name, devices="<graphics type='vnc'/>"))
    port = free_port()
    environment = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={host.home}/bus", "USER": "root",
                   "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    profile = tmp_path / "browser"
    options = webdriver.ChromeOptions()
    for argument in [*BROWSER, f"--user-data-dir={profile}"]:
        options.add_argument(argument)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(host.home / "cockpit.log", "wb"))
        server = host.start("sh", "-c", SESSION, str(port), processes=True, env=environment, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.kill)
        wait_for(lambda: is_listening(port), "cockpit-ws")
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        stack.callback(shutil.rmtree, profile, ignore_errors=True)
        stack.callback(driver.quit)
        driver.set_page_load_timeout(PATIENCE)
        driver.get(f"http://127.0.0.1:{port}/cockpit/@localhost/machines/index.html")
        # A host without hardware virtualization is told so first; the machines here need none.
        view = Page(driver)
        ready = "//*[@id='vm-web-system-name'] | //button[contains(., 'Ignore')]"
        wait_for(lambda: view.attempt(lambda: driver.find_element(By.XPATH, ready)), "the page")
        with contextlib.suppress(WebDriverException):
            driver.find_element(By.XPATH, "//button[contains(., 'Ignore')]").click()
        yield view


def menu(page, name, entry):
    """Choose from the menu beside a machine's button."""
    page.click_xpath(f"//*[@id='vm-{name}-system-action-kebab']//button")
    page.click(f"vm-{name}-system-{entry}")
