pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    over: GuideModel.department
    title: GuideModel.title
    notice: GuideModel.notice
    showBack: true
    showExit: Chrome.inSession
    primaryText: GuideModel.beginLabel
    primarySymbol: GuideModel.beginLabel === qsTr("打印") ? "printer" : "arrow-right"
    primaryEnabled: GuideModel.trouble === ""
    onPrimary: GuideModel.begin()

    Label {
        Layout.fillWidth: true
        text: GuideModel.summary
        visible: text !== ""
        font.pixelSize: Theme.roomy
        color: Theme.inkSoft
    }

    Chip {
        visible: text !== ""
        text: GuideModel.trouble
        tone: "warn"
        maximumWidth: page.columnWidth
    }

    GridLayout {
        Layout.fillWidth: true
        columns: Theme.portrait ? 2 : 4
        columnSpacing: Theme.gutter
        rowSpacing: Theme.gutter
        uniformCellWidths: true

        Fact {
            symbol: "calendar-time"
            label: qsTr("多久办好")
            value: GuideModel.limit
        }

        Fact {
            symbol: "coin-yuan"
            label: qsTr("费用")
            value: GuideModel.fee
        }

        Fact {
            symbol: "walk"
            label: qsTr("跑几次")
            value: GuideModel.visits
        }

        Fact {
            symbol: "license"
            label: qsTr("拿到什么")
            value: GuideModel.result
        }
    }

    PaperLines {
        visible: !GuideModel.nothing
        title: qsTr("要带什么")
        papers: GuideModel.bring
    }

    PaperLines {
        spare: true
        title: GuideModel.nothing ? qsTr("什么都不用带") : qsTr("这些不用带")
        papers: GuideModel.spare
    }

    NumberedList {
        visible: Theme.portrait && lines.length > 0
        title: qsTr("怎么办")
        lines: GuideModel.how
    }

    Chip {
        visible: GuideModel.offlineOk
        text: qsTr("没有网络也能提交，联网后自动上报")
        symbol: "cloud-check"
        tone: "ok"
        maximumWidth: page.columnWidth
    }
}
