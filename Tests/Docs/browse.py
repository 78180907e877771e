"""Reads and uses the page at /docs with a real browser.

    browse.py URL PASSWORD-FILE GUEST-IMAGE FOLDER    pictures go to the folder
"""
import base64, hashlib, hmac, json, os, struct, sys, time, urllib.error, urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

url, password_file, guest, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
password = open(password_file).read().strip()
person, their_password = "ana@example.org", "three small words"


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1440,1000"]:
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


driver = browser()


def one(selector):
    return driver.find_element(By.CSS_SELECTOR, selector)


def run(script, *arguments):
    return driver.execute_script(script, *arguments)


def until(condition, seconds=60):
    return WebDriverWait(driver, seconds, 0.05).until(lambda _: condition())


def expect(truth, what):
    if not truth:
        driver.save_screenshot(f"{folder}/failure.png")
        sys.exit(f"docs: {what}")


def picture(name):
    driver.save_screenshot(f"{folder}/{name}.png")


def api(method, path, body=None, token=None):
    """The same API without the page: the answer's JSON or text."""
    request = urllib.request.Request(
        url + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **({"Authorization": token} if token else {})})
    text = urllib.request.urlopen(request).read().decode()
    return json.loads(text) if text[:1] in "{[" else text


def shown():
    """The ids of the operations that can be seen."""
    return run("return [...document.querySelectorAll('.operation')].filter((e) => e.checkVisibility()).map((e) => e.id)")


def send(operation, **values):
    """Opens the operation, fills its fields, sends, and gives back the element with the answer."""
    run("location.hash = arguments[0]; visit()", f"#{operation}")
    if run("return document.querySelector(`#${arguments[0]} .trial`).hidden", operation):
        one(f"#{operation} .try").click()
    for name, value in values.items():
        field = one(f"#{operation} .trial [id$='-{name}'], #{operation} .trial .{name} textarea")
        field.clear()
        field.send_keys(value)
    one(f"#{operation} .trial .send button").click()
    return one(f"#{operation} .result")


def answered(operation, status, **values):
    result = send(operation, **values)
    until(lambda: "bytes" in result.text and "so far" not in result.text and "receiving" not in result.text)
    expect(result.text.startswith(str(status)), f"{operation} was answered by {result.text[:300]}, not {status}")
    body = result.find_elements(By.CSS_SELECTOR, ".block pre")
    return json.loads(body[0].get_attribute("textContent")) if body else None


def log_in(email, secret, code=None):
    one("#enter").click()
    for name, value in {"email": email, "password": secret, **({"otp": code} if code else {})}.items():
        one(f"#login-form [name={name}]").clear()
        one(f"#login-form [name={name}]").send_keys(value)
    one("#login-form .primary").click()


def everything_is_shown():
    driver.get(f"{url}/docs")
    until(lambda: run("return document.querySelectorAll('.schema').length"))
    document = api("GET", "/iaas/openapi.json")
    operations = [each["operationId"] for item in document["paths"].values() for verb, each in item.items()
                  if verb != "parameters"]
    expect(sorted(shown()) == sorted(operations), "not every operation is shown")
    links = run("return [...document.querySelectorAll('#side li a')].map((a) => a.hash.slice(1))")
    expect(set(operations) <= set(links), "the side list lacks operations")
    dangling = run("return [...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.hash.slice(1))"
                   ".filter((id) => !document.getElementById(id))")
    expect(not dangling, f"links lead nowhere: {dangling}")
    twice = run("const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);"
                "return ids.filter((id, at) => ids.indexOf(id) !== at)")
    expect(not twice, f"ids are there twice: {twice}")
    expect(all(f"error-{name}" in links for name in document["x-error-codes"]), "error codes are lacking")
    nameless = run("return [...document.querySelectorAll('input, select, textarea, button, a')].filter((e) => "
                   "!e.textContent.trim() && !e.labels?.length && !e.ariaLabel).map((e) => e.outerHTML)")
    expect(not nameless, f"controls have no name: {nameless}")
    picture("introduction")


def data_never_becomes_markup():
    html = run("""return el('div', null, markdown('<img src=x onerror="hit=1"> [a](javascript:hit=1) [b](/iaas/me) `<b>`\\n\\n'
      + '- one\\n- **two**\\n\\n    code\\n\\n1. x\\n\\n# t\\n\\n```\\n<i>')).innerHTML""")
    expect("<img" not in html and "javascript:hit=1)" in html and '<a href="/iaas/me"' in html
           and "<code>&lt;b&gt;</code>" in html and "<ul><li>one</li><li><strong>two</strong></li></ul>" in html
           and "<ol><li>x</li></ol>" in html and "<pre>&lt;i&gt;</pre>" in html, f"Markdown became {html}")
    # The browser says so when it blocks what is tried here.
    the_browser_has_no_complaint()
    blocked = run("try { document.createElement('p').innerHTML = '<b>'; return false } catch { return true }")
    driver.get_log("browser")
    expect(blocked, "text can be made markup")


def schemas_within_themselves_end():
    run("""window.kept = api; api = { components: { schemas: { Tree: { type: 'object', required: ['kids', 'name'], properties: {
      name: { type: 'string' }, kids: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
      up: { oneOf: [{ $ref: '#/components/schemas/Tree' }, { type: 'null' }] } } },
      Loop: { $ref: '#/components/schemas/Loop' } } } }""")
    tree = "{ $ref: '#/components/schemas/Tree' }"
    text = run(f"const view = schemaView({tree}); return view.textContent")
    expect("kids" in text and "list of Tree" in text and "up" in text, f"a tree is shown as {text}")
    expect(run(f"return JSON.stringify(sample({tree}, true))") == '{"name":"text","kids":[null],"up":null}',
           "a tree has no example")
    expect(run(f"return propertyNames({tree})") == ["name", "kids", "up"], "a tree has other names")
    run("resolve({ $ref: '#/components/schemas/Loop' }); api = window.kept")


def the_search_finds_by_all_words():
    one("body").send_keys("/")
    expect(run("return document.activeElement.id") == "search", "/ does not lead to the search")
    field = one("#search")
    for words, wanted, unwanted in [
        ("console live", {"followVMConsole"}, {"addVM"}), ("quota_exceeded", {"addVM", "addImage"}, {"listVMs"}),
        ("otp_required", {"logIn"}, {"listVMs"}), ("recoveryCodes", {"confirmSecondFactor"}, {"listVMs"}),
        ("Idempotency-Key image", {"addImage"}, {"getImage"}), ("delete /iaas/keys", {"removeKey"}, {"addKey"}),
        ("cpuPERCENT guest", {"getVMMetrics"}, {"listKeys"}),
    ]:
        field.clear()
        field.send_keys(words)
        found = set(shown())
        expect(wanted <= found and not unwanted & found, f"'{words}' finds {sorted(found)}")
        expect(one("#count").text.startswith(f"{len(found)} operation"), "the count is another")
    expect(run("return CSS.highlights.get('found').size") > 0, "what was found is not marked")
    picture("search")
    field.send_keys(Keys.ENTER)
    expect(run("return document.activeElement.hash") != "", "Enter does not lead to what was found")
    driver.switch_to.active_element.send_keys("/")
    field.send_keys("no such thing")
    expect(shown() == [] and one("#count").text == "0 operations", "what is not there is found")
    field.send_keys(Keys.ESCAPE)
    expect(len(shown()) > 50 and field.get_attribute("value") == "", "Escape does not clear the search")


def places_have_addresses():
    for place in ["removeVM", "schema-Caps", "error-no_capacity"]:
        driver.get("about:blank")
        driver.get(f"{url}/docs#{place}")
        until(lambda: run("""const place = document.getElementById(arguments[0]);
          return place && place.getBoundingClientRect().top >= 0 && place.getBoundingClientRect().top < innerHeight""", place))
    expect(run("return document.getElementById('schema-Caps').open") is False, "a schema is open that nobody asked for")
    run("location.hash = '#schema-Caps'")
    until(lambda: "cpuShare" in one("#schema-Caps").text)


def the_token_stays_in_the_page():
    log_in("admin", "wrong")
    until(lambda: "wrong" in one("#login-form .refusal").text)
    run("document.querySelector('#login').close()")
    log_in("admin", password)
    until(lambda: one("#who").text == "admin")
    me = answered("getMe", 200)
    expect(me["email"] == "admin", "somebody else is logged in")
    token = run("return session.token")
    expect(token and token not in run("return document.documentElement.outerHTML"), "the page shows the token")
    expect('-H "Authorization: $token"' in one("#getMe .curl pre").text, "curl gets no token")
    expect(run("return localStorage.length + sessionStorage.length + document.cookie.length") == 0, "something is stored")
    picture("answer")


def refusals_say_why():
    answered("addVM", 404, body='{"image": "01a1fd53-d88b-7646-a0e7-ed76c893dc40"}')
    expect(one("#addVM .problem code").text == "not_found", "the code is not shown")
    answered("addVM", 422, body='{"imige": 1}')
    expect("imige" in one("#addVM .problem ul").text, "the field is not shown")
    answered("listVMs", 400, query="stat = 1")
    expect("bad_query" in one("#listVMs .problem").text, "the code is not shown")
    send("getVM")
    expect(run("return document.querySelector('#getVM .trial form').checkValidity()") is False, "no id is needed")


def a_machine_is_made_watched_and_removed():
    image = answered("addImage", 201, body='{"name": "guest"}')
    run("location.hash = '#uploadImage'; visit()")
    one("#uploadImage .try").click()
    expect(one("#uploadImage [id$=imgId]").get_attribute("value") == image["id"], "the new image is not offered")
    one("#uploadImage input[type=file]").send_keys(guest)
    expect(f"-T '{os.path.basename(guest)}'" in one("#uploadImage .curl pre").text, "curl uploads nothing")
    content = answered("uploadImage", 200, Prefer="wait=60")
    expect(content["state"] == "available", f"the image is {content}")
    body = json.dumps({"image": image["id"], "name": "it's", "start": True})
    expect("name" in answered("addVM", 422, body=body)["detail"], "a bad name is taken")
    expect(r"it'\''s" in one("#addVM .curl pre").text, "curl's quotes are wrong")
    vm = answered("addVM", 201, Prefer="wait=60", body=json.dumps({"image": image["id"], "mem": 128, "start": True}))
    found = answered("listVMs", 200, query=f"id = '{vm['id']}'", limit="1")
    expect([each["id"] for each in found] == [vm["id"]], "the VM is not in the list")

    result = send("followVMConsole")
    until(lambda: "so far" in result.text and "activate this console" in result.text, 180)
    expect("curl -N" in one("#followVMConsole .curl pre").text, "curl waits for an end")
    picture("console")
    one("#followVMConsole .send button").click()
    until(lambda: "stopped" in result.text)
    expect(one("#followVMConsole .send button").text == "Send", "the stream goes on")

    send("removeVM")
    until(lambda: one("#confirm").is_displayed())
    expect(vm["id"] in one("#confirm code").text, "it is not said what is removed")
    one("#confirm [value=no]").click()
    expect(api("GET", f"/iaas/vms/{vm['id']}", token=run("return session.token"))["id"] == vm["id"], "it was removed")
    result = send("removeVM")
    until(lambda: one("#confirm").is_displayed())
    one("#confirm [value=yes]").click()
    until(lambda: result.text.startswith("20"))


def the_session_ends():
    token = run("return session.token")
    one("#leave").click()
    until(lambda: one("#enter").is_displayed() and one("#who").text == "")

    def ended():
        try:
            return not api("GET", "/iaas/me", token=token)
        except urllib.error.HTTPError as error:
            return error.code == 401
    until(ended)
    answered("getMe", 401)
    expect("Not logged in" in one("#getMe .trial").text, "it is not said that one must log in")


def a_second_factor_is_asked_for():
    admin = api("POST", "/iaas/sessions", {"email": "admin", "password": password})
    user = api("POST", "/iaas/users", {"email": person, "password": their_password}, admin)
    token = api("POST", "/iaas/sessions", {"email": person, "password": their_password})
    path = f"/iaas/users/{user['id']}/totp"
    secret = base64.b32decode(api("POST", path, {"currentPassword": their_password}, token)["secret"])

    def code_at(step):
        digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"
    recovery = api("PUT", path, {"otp": code_at(int(time.time()) // 30)}, token)["recoveryCodes"]
    log_in(person, their_password)
    until(lambda: one("#otp").is_displayed())
    one("#otp input").send_keys(recovery[0])
    one("#login-form .primary").click()
    until(lambda: one("#who").text == person)
    one("#leave").click()
    until(lambda: one("#enter").is_displayed())
    expect(not one("#login-form [name=password]").get_attribute("value"), "the password stays in the page")

    one("#enter").click()
    one("#token-form summary").click()
    one("#token-form input").send_keys(f"Bearer {token}")
    one("#token-form .primary").click()
    until(lambda: one("#who").text == person)
    one("#leave").click()
    expect(api("GET", "/iaas/me", token=token)["email"] == person, "a token that was only lent was ended")


def fits_every_screen():
    for width, height, name in [(390, 844, "phone"), (820, 1100, "tablet"), (1440, 1000, "desk")]:
        for scheme in ["light", "dark"]:
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]})
            run("location.hash = '#updateVM'; visit()")
            expect(run("return document.documentElement.scrollWidth <= innerWidth"), f"{name} has to be scrolled sideways")
            paper = run("return getComputedStyle(document.body).backgroundColor")
            expect((paper == "rgb(255, 255, 255)") == (scheme == "light"), f"{scheme} is {paper}")
            picture(f"{name}-{scheme}")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    one("#menu").click()
    one("#side a[href='#addKey']").click()
    until(lambda: not one("#side").is_displayed() and one("#addKey h3").is_displayed())


def the_browser_has_no_complaint():
    # A status that is no success is logged, too: those were asked for.
    complaints = [entry for entry in driver.get_log("browser") if entry["source"] != "network"]
    expect(not complaints, f"the browser says {complaints}")
    others = run("return performance.getEntriesByType('resource').map((e) => e.name)"
                 ".filter((name) => !name.startsWith(location.origin))")
    expect(not others, f"the page loads {others}")


checks = [
    everything_is_shown, data_never_becomes_markup, schemas_within_themselves_end, the_search_finds_by_all_words,
    places_have_addresses, the_token_stays_in_the_page, refusals_say_why, a_machine_is_made_watched_and_removed,
    the_session_ends, a_second_factor_is_asked_for, fits_every_screen, the_browser_has_no_complaint,
]
try:
    for check in checks:
        begun = time.monotonic()
        check()
        print(f"{check.__name__.replace('_', ' '):58} {time.monotonic() - begun:6.1f} s", flush=True)
except Exception:
    driver.save_screenshot(f"{folder}/failure.png")
    raise
finally:
    driver.quit()
