"""A company that just begins is led; one that works is not."""


def test_an_empty_company_sees_where_to_begin(office):
    page = office.get("/staff/").text

    assert "First steps" in page
    for path in ("settings", "payment-terms", "tax-zones", "price-book", "imports",
                 "customers/new", "jobs/new"):  # fmt: skip
        assert f'href="/staff/{path}"' in page


def test_what_is_done_is_ticked(office, build):
    build.customer("Ada")

    assert office.get("/staff/").text.count(">Done</span>") == 1


def test_a_company_at_work_is_not_told_how_to_begin(office, build):
    build.posted("10", on=build.today)
    build.job()

    assert "First steps" not in office.get("/staff/").text


def test_the_card_of_open_jobs_leads_to_the_open_ones(office, build):
    done, running = build.job(), build.job()
    office.post(f"/staff/jobs/{done.id}/completion")
    assert 'href="/staff/jobs?open=yes"' in office.get("/staff/").text

    page = office.get("/staff/jobs?open=yes").text

    assert running.number in page
    assert done.number not in page
