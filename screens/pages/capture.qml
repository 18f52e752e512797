import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    readonly property bool review: CaptureModel.phase === "review"
    readonly property bool down: CaptureModel.phase === "down"
    readonly property bool live: !review && !down
    readonly property bool waiting: live && CaptureModel.live === ""
    readonly property string tone: CaptureModel.adviceTone

    over: CaptureModel.hint
    title: CaptureModel.title
    notice: CaptureModel.notice
    showBack: true
    showExit: !review
    primaryText: review ? qsTr("就用这张") : qsTr("拍照")
    primarySymbol: review ? "check" : "camera"
    // The camera may fail at any moment: the button must not turn into another one under a finger.
    primaryEnabled: review || (CaptureModel.phase === "live" && CaptureModel.live !== "")
    onPrimary: review ? CaptureModel.accept() : CaptureModel.shoot()

    GridLayout {
        Layout.fillWidth: true
        columns: Theme.portrait ? 1 : 2
        columnSpacing: Theme.gutter
        rowSpacing: Theme.gutter

        Rectangle {
            id: frame
            Layout.fillWidth: true
            Layout.preferredHeight: Theme.portrait
                ? page.contentArea.pageHeight - (page.down ? 0 : side.implicitHeight + Theme.gutter) : page.contentArea.pageHeight
            radius: Theme.radius
            color: page.down ? Theme.surface : page.waiting ? Theme.tint : "#1A2433"
            border.width: Theme.rule
            border.color: Theme.line
            clip: true
            Accessible.role: Accessible.Graphic
            Accessible.name: page.review ? qsTr("拍好的照片") : qsTr("实时画面")

            Image {
                id: picture
                anchors.centerIn: parent
                readonly property real ratio: page.review && implicitHeight > 0 ? implicitWidth / implicitHeight : CaptureModel.ratio
                width: Math.min(parent.width - 24, (parent.height - 24) * ratio)
                height: width / ratio
                cache: false
                source: page.review ? CaptureModel.shot : page.live ? CaptureModel.live : ""
                Accessible.ignored: true
            }

            PageOutline {
                anchors.fill: picture
                visible: page.live
                corners: CaptureModel.quad
                tone: CaptureModel.adviceTone === "ok" ? "#4BE38B" : "#FFC83D"
            }

            Column {
                anchors.centerIn: parent
                visible: page.waiting
                spacing: 44

                Item {
                    anchors.horizontalCenter: parent.horizontalCenter
                    width: lay.width * lay.scale
                    height: lay.height * lay.scale

                    LayHint {
                        id: lay
                        transformOrigin: Item.TopLeft
                        scale: Math.max(0.3, Math.min(1, (frame.height - 240) / implicitHeight))
                    }
                }

                Label {
                    anchors.horizontalCenter: parent.horizontalCenter
                    text: qsTr("正在打开摄像头，请稍等")
                    font.pixelSize: Theme.lead
                    font.weight: Font.Medium
                }

                Busy {
                    anchors.horizontalCenter: parent.horizontalCenter
                }
            }

            Symbol {
                visible: page.down
                anchors.centerIn: parent
                size: 200
                name: "camera-off"
                tone: Theme.warn
            }

            Rectangle {
                anchors.fill: parent
                visible: CaptureModel.phase === "shooting"
                color: "#B3FFFFFF"

                Label {
                    anchors.centerIn: parent
                    text: qsTr("正在拍照，请不要动")
                    font.pixelSize: Theme.tile
                    strong: true
                    color: "#10213A"
                }
            }
        }

        ColumnLayout {
            id: side
            visible: !page.down
            Layout.fillWidth: Theme.portrait
            Layout.preferredWidth: Theme.portrait ? -1 : 560
            Layout.maximumWidth: Theme.portrait ? -1 : 560
            Layout.alignment: Qt.AlignTop
            spacing: Theme.gutter

            Rectangle {
                id: tell
                Layout.fillWidth: true
                implicitHeight: advice.implicitHeight + 36
                radius: Theme.radius
                color: Theme.toneTint(page.tone)
                border.width: Theme.contrast ? 3 : 0
                border.color: Theme.toneInk(page.tone)

                Symbol {
                    x: 28
                    anchors.verticalCenter: parent.verticalCenter
                    size: Math.round(Theme.lead * 1.3)
                    name: Theme.toneSymbol(page.tone)
                    tone: Theme.toneInk(page.tone)
                }

                Label {
                    id: advice
                    anchors.left: parent.left
                    anchors.leftMargin: 44 + Theme.lead * 1.3
                    anchors.right: parent.right
                    anchors.rightMargin: 24
                    anchors.verticalCenter: parent.verticalCenter
                    text: page.review && CaptureModel.adviceTone === "ok" ? qsTr("看得清楚吗？清楚就用这张。") : page.review ? qsTr("不太清楚：%1").arg(CaptureModel.advice) : CaptureModel.advice
                    font.pixelSize: Theme.lead
                    font.weight: Font.Medium
                    color: Theme.toneInk(page.tone)
                }
            }

            NumberedList {
                visible: !Theme.portrait && page.live
                lines: [qsTr("把纸放平，四个角都露出来"), qsTr("绿框框住整张纸，就点“拍照”")]
            }

            PushButton {
                visible: page.review
                Layout.fillWidth: true
                look: CaptureModel.adviceTone === "ok" ? "outline" : "primary"
                symbol: "rotate"
                text: qsTr("重拍")
                onClicked: CaptureModel.retake()
            }
        }
    }
}
